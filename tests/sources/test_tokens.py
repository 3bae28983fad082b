"""Tokens on the disk: nobody else reads them, no kill loses them."""

import datetime as dt
import json
import os
import pickle
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hamload.simulator import SimulatedRunner
from hamload.simulator import strava as simulator
from hamload.sources import strava, strava_access
from hamload.sources.tokens import TokenFile, TokenFileError, Tokens

NOW = dt.datetime(2026, 11, 24, 3, 30, tzinfo=dt.UTC)
OLD = Tokens("old-access", "old-refresh", NOW, "read,activity:read_all")
NEW = Tokens("new-access", "new-refresh", NOW + dt.timedelta(hours=6), "read,activity:read_all")


class Killed(BaseException):
    """What the process does not survive."""


@pytest.fixture
def file(tmp_path: Path) -> TokenFile:
    return TokenFile(tmp_path / "me" / "strava-tokens.json")


@pytest.fixture
def service() -> Iterator[simulator.Strava]:
    with simulator.serving(simulator.Strava(SimulatedRunner(), [], NOW)) as served:
        yield served


def signed_in(service: simulator.Strava, file: TokenFile) -> None:
    told = service.tokens()
    file.save(
        Tokens(told["access_token"], told["refresh_token"], dt.datetime.fromtimestamp(told["expires_at"], dt.UTC))
    )
    service.advance(NOW + dt.timedelta(hours=23))


def app(service: simulator.Strava) -> strava.App:
    return strava.App(service.client_id, service.client_secret)


def session(service: simulator.Strava) -> strava.Session:
    return simulator.reach(strava.session(timeout_s=5), service)


def is_signed_in(service: simulator.Strava, file: TokenFile) -> bool:
    """Return whether the next night can refresh, where it must, and ask Strava; raise where it cannot."""
    tokens = strava.refresh_here(file, app(service), session(service), service.now)
    list(strava.fetch(strava.client(session(service), tokens.access_token), {}, service.now))
    return True


def test_tokens_come_back_as_they_were_saved(file: TokenFile) -> None:
    assert file.read() is None
    file.save(OLD)
    assert file.read() == OLD
    file.save(NEW)
    assert file.read() == NEW


def test_only_the_runner_may_read_the_file_whatever_the_umask(file: TokenFile) -> None:
    before = os.umask(0)
    try:
        file.save(OLD)
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600


def test_a_file_that_others_may_read_is_closed_to_them(file: TokenFile) -> None:
    file.save(OLD)
    file.path.chmod(0o644)
    assert file.read() == OLD
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600


@pytest.mark.parametrize("ending", ["", ".new", ".lock"])
def test_a_symbolic_link_is_refused_and_what_it_points_to_stays(file: TokenFile, ending: str) -> None:
    file.path.parent.mkdir()
    other = file.path.parent / "other"
    other.write_text("precious")
    file.path.with_name(file.path.name + ending).symlink_to(other)
    with pytest.raises(TokenFileError, match="symbolic link"):
        file.read()
    if ending != ".new":  # a save writes that file itself, and takes away what lies in its way
        with pytest.raises(TokenFileError, match="symbolic link"):
            file.save(NEW)
    assert other.read_text() == "precious"


def test_what_is_no_regular_file_is_refused_without_waiting_for_it(file: TokenFile) -> None:
    file.path.parent.mkdir()
    os.mkfifo(file.path)
    with pytest.raises(TokenFileError, match="not a file of this user"):
        file.read()


@pytest.mark.parametrize("content", [b"", b"{", b'{"tokens": {}}', b"\xff\xfe", b"[" * 60_000])
def test_a_damaged_file_says_what_helps(file: TokenFile, content: bytes) -> None:
    file.path.parent.mkdir()
    file.path.write_bytes(content)
    with pytest.raises(TokenFileError, match="sign in again"):
        file.read()


def test_a_changed_letter_is_noticed(file: TokenFile) -> None:
    file.save(OLD)
    file.path.write_text(file.path.read_text().replace("old-refresh", "odd-refresh"))
    with pytest.raises(TokenFileError):
        file.read()


def test_tokens_are_in_no_repr_and_in_no_message(file: TokenFile) -> None:
    assert "old-" not in repr(OLD) + str(OLD) + repr(file) + f"{strava.App(1, 'old-secret')!r}"
    file.save(OLD)
    file.path.write_text(file.path.read_text().replace("sum", "some"))
    with pytest.raises(TokenFileError) as told:
        file.read()
    assert "old-" not in str(told.value)


def test_an_access_token_that_was_refused_is_refreshed_at_the_next_chance(file: TokenFile) -> None:
    file.save(NEW)
    file.expire()
    after = file.read()
    assert after is not None
    assert not after.lasts_until(NOW)
    assert after.refresh_token == NEW.refresh_token


def test_nothing_remains_of_removed_tokens(file: TokenFile) -> None:
    file.save(OLD)
    assert file.remove()
    assert list(file.path.parent.iterdir()) == []
    assert not file.remove()


# A kill inside a save


def steps_of_a_save(file: TokenFile, patch: pytest.MonkeyPatch, kill_at: int) -> list[str]:
    """Save, and be killed right after the n-th call to the system. Returns the calls that were made."""
    made: list[str] = []

    def counted(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def act(*args: Any, **kwargs: Any) -> Any:
            if name == "write" and kill_at == len(made):
                call(args[0], args[1][: len(args[1]) // 2])
                raise Killed
            found = call(*args, **kwargs)
            made.append(name)
            if len(made) > kill_at:
                raise Killed
            return found

        return act

    with patch.context() as inner:
        for name in ("open", "fchmod", "write", "fsync", "replace"):
            inner.setattr(os, name, counted(name, getattr(os, name)))
        inner.setattr(Path, "replace", counted("rename", Path.replace))
        try:
            file.save(NEW)
        except Killed:
            made.append("killed")
    return made


def test_a_save_that_is_killed_at_any_step_leaves_the_old_tokens_or_the_new_ones(
    file: TokenFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends: dict[str, str] = {}
    for kill_at in range(20):
        file.save(OLD)
        made = steps_of_a_save(file, monkeypatch, kill_at)
        after = file.read()
        assert after in {OLD, NEW}
        assert after is not None
        ends[" ".join(made)] = after.access_token
        if "killed" not in made:
            break
    else:
        pytest.fail("a save of more than 20 steps")
    written = [steps for steps in ends if "write" in steps]
    assert len(ends) >= 7
    assert written
    assert {ends[steps] for steps in written} == {"new-access"}


def test_a_full_disk_keeps_the_old_tokens(file: TokenFile, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    file.save(OLD)
    with monkeypatch.context() as inner:
        inner.setattr(os, "write", full)
        with pytest.raises(TokenFileError, match="No space left"):
            file.save(NEW)
    assert file.read() == OLD


# A kill inside a refresh


def test_a_refresh_rotates_the_token_and_the_old_one_is_dead(service: simulator.Strava, file: TokenFile) -> None:
    signed_in(service, file)
    before = file.read()
    after = strava.refreshed(file, app(service), session(service), service.now)
    assert before is not None
    assert after.refresh_token != before.refresh_token
    assert after == file.read()
    assert after.attempted_at is None
    assert is_signed_in(service, file)
    assert service.asked["token"] == 1
    file.save(before)
    with pytest.raises(strava.LoginNeededError, match="no longer accepts"):
        is_signed_in(service, file)


def test_tokens_that_last_are_not_refreshed(service: simulator.Strava, file: TokenFile) -> None:
    file.save(NEW)
    assert strava.refreshed(file, app(service), session(service), NOW) == NEW
    assert service.asked["token"] == 0


PARENT = """
import pickle, sys
from hamload.sources import strava
strava.refreshed(*pickle.loads(sys.stdin.buffer.read()))
print("refreshed", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize(
    ("blow", "step"),
    [
        (signal.SIGKILL, "asked"),
        (signal.SIGKILL, "rotated"),
        (signal.SIGKILL, "told"),
        (signal.SIGINT, "rotated"),
    ],
)
def test_a_run_that_is_killed_at_any_step_of_the_refresh_leaves_the_runner_signed_in(
    service: simulator.Strava, file: TokenFile, step: simulator.RefreshStep, blow: signal.Signals
) -> None:
    signed_in(service, file)
    before = file.read()
    order = pickle.dumps((file, app(service), session(service), service.now))
    killed_at: list[str] = []
    with subprocess.Popen(
        [sys.executable, "-c", PARENT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        # Whoever runs the tests in the background has told every child to ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    ) as parent:

        def strike(at: simulator.RefreshStep) -> None:
            if at == step:
                killed_at.append(at)
                # The whole group of the run, as Ctrl-C and a stopped service reach it.
                os.killpg(parent.pid, blow)

        service.on_refresh = strike
        told, _ = parent.communicate(order, timeout=60)
    assert killed_at == [step]
    assert step == "told" or b"refreshed" not in told
    # Reading waits for whoever still holds the file.
    after = file.read()
    assert before is not None
    assert after is not None
    assert after.refresh_token != before.refresh_token
    assert is_signed_in(service, file)
    assert service.asked["token"] == 1


def test_two_runs_at_once_refresh_once(service: simulator.Strava, file: TokenFile) -> None:
    signed_in(service, file)
    found: list[Tokens] = []
    runs = [
        threading.Thread(
            target=lambda: found.append(strava.refresh_here(file, app(service), session(service), service.now))
        )
        for _ in range(4)
    ]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert len(found) == 4
    assert len({tokens.refresh_token for tokens in found}) == 1
    assert service.asked["token"] == 1


def test_a_machine_that_fails_after_the_answer_is_on_the_disk_has_lost_nothing(
    service: simulator.Strava, file: TokenFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_in(service, file)
    renames = 0
    rename = Path.replace

    def fail(path: Path, target: Path) -> Path:
        nonlocal renames
        renames += 1
        if renames == 2:  # the first one is the note that a refresh begins
            raise Killed
        return rename(path, target)

    with monkeypatch.context() as inner:
        inner.setattr(Path, "replace", fail)
        with pytest.raises(Killed):
            strava.refresh_here(file, app(service), session(service), service.now)
    assert is_signed_in(service, file)
    assert service.asked["token"] == 1


def test_a_machine_that_fails_between_answer_and_disk_is_told_what_happened(
    service: simulator.Strava, file: TokenFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_in(service, file)

    def fail(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as inner:
        inner.setattr(strava_access, "_salvaged", fail)
        with pytest.raises(Killed):
            strava.refresh_here(file, app(service), session(service), service.now)
    with pytest.raises(strava.LoginNeededError, match=r"interrupted before its answer was kept.*hamload auth strava"):
        is_signed_in(service, file)


def test_a_machine_that_fails_before_asking_goes_on_with_the_old_token(
    service: simulator.Strava, file: TokenFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_in(service, file)

    def fail(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as inner:
        inner.setattr(strava.Session, "send", fail)
        with pytest.raises(Killed):
            strava.refresh_here(file, app(service), session(service), service.now)
    assert is_signed_in(service, file)


def test_an_answer_cut_off_behind_the_refresh_token_still_signs_in(service: simulator.Strava, file: TokenFile) -> None:
    signed_in(service, file)
    told: dict[str, Any] = {}
    new_tokens = service._new_tokens

    def first(refresh_token: str = "") -> dict[str, Any]:
        told.update(new_tokens(refresh_token))
        # The refresh token first, and enough behind it that half of the body holds it.
        return {"refresh_token": told["refresh_token"], **told, "athlete": {"bio": "x" * 500}}

    service._new_tokens = first  # type: ignore[method-assign]
    service.faults.add("token", simulator.Fault("cut"), 1)
    strava.refresh_here(file, app(service), session(service), service.now)
    after = file.read()
    assert after is not None
    assert after.refresh_token == told["refresh_token"]
    assert is_signed_in(service, file)


def test_nobody_signed_in_is_said_before_anything_is_asked(service: simulator.Strava, file: TokenFile) -> None:
    with pytest.raises(strava.LoginNeededError, match="hamload auth strava"):
        strava.refreshed(file, app(service), session(service), NOW)
    assert not service.asked


def test_a_failure_of_the_refreshing_process_is_told_with_its_remedy(
    service: simulator.Strava, file: TokenFile
) -> None:
    signed_in(service, file)
    wrong = strava.App(service.client_id, "wrong-canary")
    with pytest.raises(strava.AppRefusedError, match="settings/api") as told:
        strava.refreshed(file, wrong, session(service), service.now)
    assert "canary" not in str(told.value)
    assert is_signed_in(service, file)


def test_the_file_holds_json_that_a_person_can_look_at(file: TokenFile) -> None:
    file.save(OLD)
    assert json.loads(file.path.read_text())["tokens"]["scope"] == "read,activity:read_all"
