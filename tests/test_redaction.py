"""No secret reaches a log, a terminal or an error: not by value, not by its looks, whichever library tells of it."""

import logging
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hamload import redaction, settings
from hamload.errors import HamloadError
from hamload.redaction import BLOT, discreet, learn, redacted
from hamload.sources.access import Access
from hamload.sources.tokens import App, Key, Tokens

#: Of libraries that carry secrets, or that log what others carry.
LOGGERS = (
    "stravalib", "stravalib.protocol", "stravalib.util.limiter", "garminconnect", "garminconnect.client", "gcpapi_sync",
    "requests", "urllib3.connectionpool", "httpx", "httpcore.http11", "curl_cffi", "apprise", "mail.log", "smtplib",
    "aiosmtpd", "asyncio", "prefect", "prefect.flow_runs", "prefect.task_runs", "uvicorn.access", "hamload", "root",
)  # fmt: skip
PATTERNED = (
    "GET https://www.strava.com/oauth/token?client_id=7&client_secret=CANARY&code=CANARY&grant_type=authorization_code",
    "POST body client_id=7&refresh_token=CANARY&grant_type=refresh_token",
    "answer {'token_type': 'Bearer', 'access_token': 'CANARY', 'expires_at': 1, 'refresh_token': 'CANARY'}",
    'answer {"access_token": "CANARY", "athlete": {"id": 1}, "refresh_token":"CANARY"}',
    "headers {'Authorization': 'Bearer CANARY', 'Accept': '*/*'}",
    "Authorization: Basic CANARY",
    "request headers [(b'Host', b'x'), (b'authorization', b'Bearer CANARY')]",
    "http://127.0.0.1:1234/callback?state=CANARY&code=CANARY&scope=read",
    "https://sso.garmin.com/sso/embed?ticket=CANARY",
    "https://runner:CANARY@push.example.org/topic",
    "send: 'AUTH PLAIN CANARY'",
    "Set-Cookie: session=CANARY; HttpOnly",
    "login(username='anna', password='CANARY')",
    '{"di_token": "CANARY", "di_refresh_token": "CANARY"}',
    "x-api-key: CANARY",
)  # fmt: skip


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let each test know only its own secrets, and install what it installs for itself."""
    monkeypatch.setattr(redaction, "_known", set())
    redaction._values.cache_clear()
    before = logging.getLogRecordFactory()
    redaction.install()
    yield
    logging.setLogRecordFactory(before)
    redaction._values.cache_clear()


@pytest.mark.parametrize("told", PATTERNED)
def test_what_looks_like_a_secret_is_blotted_out_though_nobody_has_learnt_it(told: str) -> None:
    secret = "9f3a-CANARY.b_77"  # noqa: S105  # made to be looked for
    told = told.replace("CANARY", secret)
    assert secret in told
    assert "CANARY" not in redacted(told)
    assert BLOT in redacted(told)
    assert redacted(redacted(told)) == redacted(told)


@pytest.mark.parametrize(
    "told",
    [
        "The mail server does not take username and password: 535 5.7.8 Error.",
        "Strava refuses a request of ours (503), status code: 503.",
        "Check username in [mail] and HAMLOAD_SMTP_PASSWORD; many providers want an app password.",
        "Run: hamload auth strava --paste",
        "Every token is renewed by itself; basic authentication is not used.",
        "https://www.strava.com/api/v3/athlete/activities?page=2&per_page=200&before=1764000000",
        "decode 412 documents in 3.2 s",
    ],
)
def test_words_that_hold_no_secret_stay_as_they_are(told: str) -> None:
    assert redacted(told) == told


@given(st.text(min_size=4, max_size=40), st.text(max_size=20), st.text(max_size=20))
def test_a_secret_that_was_learnt_is_nowhere_in_what_is_told(secret: str, before: str, after: str) -> None:
    learn(secret)
    for spelt in (secret, quote(secret, safe="")):
        assert spelt not in redacted(f"{before}{spelt}{after}").replace(BLOT, "")


def _fail(secret: str) -> None:
    cause = ValueError(f"client_secret={secret}")
    raise ConnectionError(f"Max retries exceeded with url: /oauth?refresh_token={secret}") from cause


# Prefect's, where its handlers are set up, say so of what is logged outside its runs.
@pytest.mark.filterwarnings("ignore:Logger .* attempted to send logs to the API")
@pytest.mark.parametrize("name", LOGGERS)
def test_no_librarys_logger_lets_a_secret_through_in_words_arguments_or_exceptions(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    learn("the-canary-of-the-home")
    secrets = ("the-canary-of-the-home", "unlearnt-canary-77")
    logger = logging.getLogger(name)
    caplog.set_level(logging.DEBUG, logger=name)
    logger.addHandler(caplog.handler)
    try:
        for secret in secrets:
            address = f"https://x.example/oauth?access_token={secret}&page=2"
            logger.debug(f"GET {address}")  # noqa: G004  # as libraries do
            logger.debug("%s %s", "GET", address)
            logger.debug("%(url)s", {"url": address})
            logger.warning("%r", {"Authorization": f"Bearer {secret}"})
            try:
                _fail(secret)
            except ConnectionError:
                logger.exception("It failed.")
                logger.debug("It failed again.", exc_info=True, stack_info=True)
    finally:
        logger.removeHandler(caplog.handler)
    assert caplog.text.count("It failed.") >= 2
    assert "page=2" in caplog.text
    assert "canary" not in caplog.text.replace("test_redaction", "")
    assert not any("canary" in repr(record.args) for record in caplog.records)


def test_a_record_whose_formatter_takes_its_arguments_apart_keeps_as_many(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("uvicorn.access")
    caplog.set_level(logging.DEBUG, logger="uvicorn.access")
    logger.addHandler(caplog.handler)
    try:
        arguments = ("127.0.0.1:1", "GET", "/callback?code=canary-9&scope=read", "1.1", 200)
        logger.info('%s - "%s %s HTTP/%s" %d', *arguments)
    finally:
        logger.removeHandler(caplog.handler)
    record = next(r for r in caplog.records if r.name == "uvicorn.access")
    assert isinstance(record.args, tuple)
    assert (len(record.args), record.args[4]) == (5, 200)
    assert "canary" not in record.getMessage()


def test_whatever_reads_or_keeps_a_secret_of_this_home_teaches_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import datetime as dt  # noqa: PLC0415

    access = Access.of(tmp_path, "me")
    end = dt.datetime(2026, 11, 29, tzinfo=dt.UTC)
    access.strava.save(Tokens("canary-access", "canary-refresh", end))
    access.strava_app.save(App(7, "canary-client"))
    access.garmin_personal.save(Key("canary-key"))
    monkeypatch.setenv("HAMLOAD_SMTP_PASSWORD", "canary smtp+/")
    (tmp_path / "push").write_text("canary-push-file\n")
    monkeypatch.setenv("HAMLOAD_PUSH_URLS_FILE", str(tmp_path / "push"))
    settings.secret("HAMLOAD_SMTP_PASSWORD")
    settings.secret("HAMLOAD_PUSH_URLS")
    told = "canary-access canary-refresh canary-client canary-key canary smtp+/ canary+smtp%2B%2F canary-push-file"
    assert "canary" not in redacted(told)
    monkeypatch.setattr(redaction, "_known", set())
    redaction._values.cache_clear()
    assert access.strava.read() is not None
    assert "canary" not in redacted("canary-access canary-refresh")


def test_an_error_that_was_built_of_a_secret_tells_none_of_it() -> None:
    learn("canary-known")
    error = HamloadError("It cannot be reached: https://x/?access_token=canary-9", "Check canary-known.")
    assert "canary" not in str(error) + repr(error) + error.what + error.remedy
    assert "canary" not in "".join(traceback.format_exception(error))


def test_a_step_lets_no_exception_with_a_secret_out_and_every_other_one_as_it_is() -> None:
    @discreet
    def step(error: Exception) -> None:
        raise error

    with pytest.raises(RuntimeError) as told:
        step(KeyError("refresh_token=canary-1"))
    assert str(told.value) == f"KeyError: 'refresh_token={BLOT}'"
    assert (told.value.__cause__, told.value.__context__) == (None, None)
    with pytest.raises(KeyError, match="a name"):
        step(KeyError("a name"))


def test_an_uncaught_exception_is_printed_without_its_secret() -> None:
    script = (
        "import threading; from hamload import redaction\n"
        "redaction.install_for_uncaught(); redaction.learn('canary-known')\n"
        "def fail(): raise ValueError('canary-known access_token=canary-9')\n"
        "thread = threading.Thread(target=fail); thread.start(); thread.join()\n"
        "try: fail()\n"
        "except ValueError as error: raise RuntimeError('with canary-known') from error\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert done.stderr.count(BLOT) >= 5
    assert "RuntimeError" in done.stderr
    # Python prints the lines of a script that it was given as words only from 3.13 on, and there they are ours.
    printed = [line for line in done.stderr.splitlines() if "Error:" in line]
    assert len(printed) == 3
    assert not any("canary" in line for line in printed)


def test_nothing_switches_on_what_prints_past_the_loggers() -> None:
    """`smtplib` and `http.client` print whole conversations, sign-ins included, where they are told to."""
    source = Path(__file__).parents[1]
    for folder in ("src", "flows"):
        for path in (source / folder).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            assert "set_debuglevel" not in text, path
            assert "debuglevel" not in text, path
