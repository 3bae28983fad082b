"""Reading on a cluster: real Dask workers in processes of their own. The tables are those that this machine makes."""

import datetime as dt
import gc
import os
import re
import shutil
import signal
import socket
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hamload import pipeline, settings, warehouse
from hamload.errors import ClusterError, ConfigurationError
from hamload.pipeline.documents import cluster as reading
from hamload.pipeline.documents.computing import Computation, compute
from hamload.pipeline.documents.parcels import packed, unpacked
from hamload.pipeline.documents.reading import Task, read
from hamload.pipeline.loads import assessing
from hamload.raw import document_id
from hamload.settings import Settings

type Fit = Callable[..., bytes]
type HomeWith = Callable[[Path, str], Settings]
type Tables = Callable[[Settings], dict[str, list[tuple[Any, ...]]]]

NIGHT = dt.datetime(2026, 11, 6, 3, 30, tzinfo=dt.UTC)
DAY = dt.date(2026, 11, 2)
RUNS = 52


@contextmanager
def _cluster(workers: int, **options: Any) -> Iterator[Any]:
    from distributed import LocalCluster  # noqa: PLC0415  # two seconds that only these tests pay

    with LocalCluster(  # type: ignore[no-untyped-call]
        n_workers=workers,
        threads_per_worker=1,
        processes=True,
        dashboard_address="127.0.0.1:0",
        silence_logs=50,
        **options,
    ) as running:
        yield running


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Return a cluster of two workers, processes of their own with a nanny each, as `dask worker` starts them."""
    with _cluster(2) as running:
        yield running


@pytest.fixture
def client(cluster: Any) -> Iterator[Any]:
    """Return what looks on from outside, with both workers there."""
    from distributed import Client  # noqa: PLC0415  # as above

    with Client(cluster, set_as_default=False) as looking:  # type: ignore[no-untyped-call]
        looking.wait_for_workers(2)
        yield looking


class Desk:
    """Makes homes below one folder, and looks into them. Those that read on a cluster lie in its shared storage."""

    def __init__(self, folder: Path, home_with: HomeWith, tables: Tables) -> None:
        self.folder, self._home_with, self._tables = folder, home_with, tables

    def here(self, name: str, workers: int = 1) -> Settings:
        """Return a home that reads by processes of this machine."""
        return self._home_with(self.folder / name, f'time_zone = "America/Recife"\n[import]\nworkers = {workers}\n')

    def there(self, cluster: Any, name: str, **options: Any) -> Settings:
        """Return a home that reads on a cluster, or at an address."""
        address = cluster if isinstance(cluster, str) else cluster.scheduler_address
        told = {"cluster": address, "shared": str(self.folder), **options}
        lines = "".join(f"{key} = {value!r}\n" for key, value in told.items())
        return self._home_with(self.folder / name, f'time_zone = "America/Recife"\n[import]\n{lines}')

    def put(self, home: Settings, folder: Path) -> None:
        """Keep a folder of recordings, unread."""
        with pipeline.exclusive(home):
            pipeline.put_files(home, [folder], "me", NIGHT, through=DAY)

    def refresh(self, home: Settings) -> tuple[int, Any]:
        """Bring every table up to date."""
        with pipeline.exclusive(home):
            return pipeline.refresh(home, NIGHT.date())

    def held(self, home: Settings) -> dict[str, Any]:
        """Return all that a home holds: every published table row for row, and of the samples each row's hash.

        Not in which chunk they lie: that tells when they were written.
        """
        with warehouse.reader(home.home) as con:
            samples = con.execute(
                "select activity_id, count(*), bit_xor(hash(s)), sum(hash(s))"
                " from (select * exclude (chunk) from landing.samples) s group by all order by all"
            ).fetchall()
            features = con.execute("select * exclude (chunk) from landing.features order by all").fetchall()
            composed = con.execute("select * from landing.composed order by all").fetchall()
        return {**self._tables(home), "samples": samples, "features": features, "composed": composed}


@pytest.fixture
def desk(tmp_path: Path, home_with: HomeWith, tables: Tables) -> Desk:
    return Desk(tmp_path, home_with, tables)


@pytest.fixture(scope="module")
def archive(fit_on: Fit, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of short runs: two batches."""
    folder = tmp_path_factory.mktemp("archive")
    for day in range(RUNS):
        date = DAY - dt.timedelta(days=day)
        (folder / f"{date}.fit").write_bytes(fit_on(date, ("easy", "hills", "intervals")[day % 3], 6))
    return folder


@pytest.fixture(scope="module")
def undisturbed(
    archive: Path, home_with: HomeWith, tables: Tables, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """Return what the archive becomes by one process of this machine."""
    desk = Desk(tmp_path_factory.mktemp("undisturbed"), home_with, tables)
    home = desk.here("here")
    desk.put(home, archive)
    desk.refresh(home)
    held = desk.held(home)
    assert len(held["sessions"]) == RUNS
    assert sum(rows for _, _, rows, *_ in held["samples"]) > 200 * RUNS
    return held


@pytest.fixture
def ftp(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Return the address of a server of files on loopback, as another machine's storage is, and its folder."""
    from pyftpdlib.authorizers import DummyAuthorizer  # noqa: PLC0415  # only this fixture needs it
    from pyftpdlib.handlers import FTPHandler  # noqa: PLC0415
    from pyftpdlib.servers import ThreadedFTPServer  # noqa: PLC0415

    folder = tmp_path / "ftp"
    folder.mkdir()
    authorizer = DummyAuthorizer()
    with warnings.catch_warnings():
        # Nobody else is on this loopback.
        warnings.simplefilter("ignore", RuntimeWarning)
        authorizer.add_anonymous(str(folder), perm="elradfmwMT")
    handler = type("Handler", (FTPHandler,), {"authorizer": authorizer})
    server = ThreadedFTPServer(("127.0.0.1", 0), handler)
    serving = threading.Thread(target=server.serve_forever, kwargs={"handle_exit": False})
    serving.start()
    yield f"ftp://127.0.0.1:{server.address[1]}/shared", folder
    server.close_all()
    serving.join(10)


def _left(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_two_processes_and_a_cluster_leave_the_tables_that_one_process_leaves(
    archive: Path,
    cluster: Any,
    desk: Desk,
    undisturbed: dict[str, Any],
    ftp: tuple[str, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its storage is a folder that holds the home too, and a server of files that nobody else sees.

    Workers measure what they have read, since it is more than one batch.
    """
    monkeypatch.setattr(assessing, "_FEW", 20)
    monkeypatch.setattr(assessing, "_MANY", 20)
    address, folder = ftp
    homes = [
        desk.here("two", workers=2),
        desk.there(cluster, "inside"),
        desk.there(cluster, "apart", shared=address),
    ]
    for home in homes:
        desk.put(home, archive)
        assert desk.refresh(home) == (RUNS, [])
        assert desk.held(home) == undisturbed
    assert _left(folder) == [], "nothing stays in shared storage"
    assert not list(desk.folder.glob("hamload-*"))


def test_real_recordings_come_back_from_the_cluster_as_they_are_read_here(
    shared_data: Path, cluster: Any, desk: Desk
) -> None:
    """Truncated, chained and corrupt ones among them: what cannot be read is listed in the same words."""
    real = desk.folder / "real"
    for name in ("tormoder-fit", "openfitness", "garth", "fitdecode", "runpandas"):
        found = sorted(
            p for p in (shared_data / "activities" / name).rglob("*") if p.is_file() and p.stat().st_size < 300_000
        )
        for path in found[:: 1 + len(found) // 10]:
            (real / name).mkdir(parents=True, exist_ok=True)
            shutil.copy(path, real / name / path.name)
    home = desk.here("home")
    desk.put(home, real)
    # One is damaged in the home since, and one is not there any more.
    documents = sorted((home.home / "raw").rglob("*.fit"))
    documents[0].write_bytes(documents[0].read_bytes()[:-1])
    documents[1].unlink()
    desk.refresh(home)
    read_here = desk.held(home)
    assert len(read_here["sessions"]) > 3
    assert len(read_here["unreadable"]) > 2

    warehouse.forget_derived(home.home)
    desk.refresh(desk.there(cluster, "home", shared=(desk.folder / "shared").as_uri()))
    assert desk.held(home) == read_here


def _wait_for(found: Callable[[], Any], what: str) -> Any:
    begun = time.monotonic()
    while not (told := found()):
        assert time.monotonic() - begun < 90, what
        time.sleep(0.05)
    return told


class _Trap:
    """A document that is never read to its end: whoever reads it is caught there, and can be killed in the middle."""

    def __init__(self, home: Settings, client: Any, content: bytes) -> None:
        self.client, self.content = client, content
        (self.path,) = (home.home / "raw").rglob(f"{document_id(content)}.fit")
        self.path.unlink()
        os.mkfifo(self.path)
        self.killed: list[int] = []

    def kill(self, times: int, *, then_open: bool = False) -> None:
        """Kill so many workers, one after the other, each as its reader is in it; then let it be read, or not."""
        # Open at both ends: whoever comes to read waits, and goes on waiting.
        held = os.open(self.path, os.O_RDWR)
        try:
            for _ in range(times):
                caught = _wait_for(self._readers, "nobody reads it")
                (worker,) = [address for address, tasks in self.client.processing().items() if tasks]
                pid = self.client.run(os.getpid, workers=[worker])[worker]
                os.kill(pid, signal.SIGKILL)
                self.killed.append(pid)
                # Its reader outlives it for a second, and is not the next one's.
                _wait_for(lambda: not caught & self._readers(), "the dead worker's reader lives on")  # noqa: B023
            if then_open:
                self.path.unlink()
                self.path.write_bytes(self.content)
                # For whoever came in the meantime.
                os.write(held, self.content)
        finally:
            os.close(held)

    def _readers(self) -> set[int]:
        found = set()
        for opened in Path("/proc").glob("[0-9]*/fd/*"):
            with suppress(OSError):
                if opened.readlink() == self.path:
                    found.add(int(opened.parts[2]))
        return found - {os.getpid()}


@pytest.fixture
def one_batch(archive: Path, tmp_path: Path) -> tuple[Path, bytes]:
    """Return a folder of twelve runs, one batch, and the content of one of them."""
    folder = tmp_path / "twelve"
    folder.mkdir()
    for path in sorted(archive.iterdir())[-12:]:
        shutil.copy(path, folder / path.name)
    return folder, sorted(folder.iterdir())[5].read_bytes()


def test_a_worker_that_is_killed_in_the_middle_loses_and_doubles_nothing(
    one_batch: tuple[Path, bytes], client: Any, cluster: Any, desk: Desk
) -> None:
    folder, caught = one_batch
    here, there = desk.here("here"), desk.there(cluster, "there")
    desk.put(here, folder)
    desk.refresh(here)
    desk.put(there, folder)
    trap = _Trap(there, client, caught)
    killer = threading.Thread(target=trap.kill, args=(1,), kwargs={"then_open": True})
    killer.start()
    assert desk.refresh(there) == (12, [])
    killer.join()
    assert len(trap.killed) == 1
    assert desk.held(there) == desk.held(here)
    assert pipeline.unreadable(there) == ([], 0)
    assert not list(desk.folder.glob("hamload-*"))


@pytest.mark.long
def test_a_document_that_ends_every_worker_is_listed_and_the_others_of_its_batch_arrive(
    one_batch: tuple[Path, bytes], client: Any, cluster: Any, desk: Desk
) -> None:
    folder, caught = one_batch
    there = desk.there(cluster, "there")
    desk.put(there, folder)
    trap = _Trap(there, client, caught)
    # The batch ends two workers, then the document alone another two.
    former, cluster.scheduler.allowed_failures = cluster.scheduler.allowed_failures, 1
    killer = threading.Thread(target=trap.kill, args=(4,))
    killer.start()
    try:
        assert desk.refresh(there)[0] == 12
    finally:
        killer.join()
        cluster.scheduler.allowed_failures = former
    assert len(trap.killed) == 4
    told, others = pipeline.unreadable(there)
    assert ["ended 2 workers of the cluster" in line for line in told] == [True], told
    assert others == 0
    assert len(desk.held(there)["sessions"]) == 11


@pytest.mark.long
def test_the_limits_of_time_and_memory_hold_on_a_worker_for_each_document(
    one_batch: tuple[Path, bytes], cluster: Any, desk: Desk
) -> None:
    folder, hanging = one_batch
    swelling = sorted(folder.iterdir())[8].read_bytes()
    there = desk.there(cluster, "there", max_seconds=4, max_memory_mb=400)
    desk.put(there, folder)
    raw = there.home / "raw"
    (endless,), (huge,) = (list(raw.rglob(f"{document_id(content)}.fit")) for content in (hanging, swelling))
    endless.unlink()
    os.mkfifo(endless)
    huge.unlink()
    huge.symlink_to("/dev/zero")
    desk.refresh(there)
    assert len(desk.held(there)["sessions"]) == 10
    told, _ = pipeline.unreadable(there)
    assert sorted(line.partition(": ")[2][:38] for line in told) == [
        "Reading this takes more memory than a ",
        "Reading this took more than 4 seconds ",
    ]


def test_a_batch_that_is_read_twice_leaves_the_same_file_and_is_read_once(
    client: Any, fit_on: Fit, tmp_path: Path
) -> None:
    content = fit_on(DAY)
    (tmp_path / "run.fit").write_bytes(content)
    order = _order(tmp_path, Task(tmp_path / "run.fit", "fit", document_id(content), "", {}))
    assert client.submit(reading.read_batch, order, pure=False).result() == order.results
    result = (tmp_path / "place" / order.results).read_bytes()
    (tmp_path / "run.fit").unlink()
    assert client.submit(reading.read_batch, order, pure=False).result() == order.results
    assert (tmp_path / "place" / order.results).read_bytes() == result


def _order(folder: Path, *tasks: Task) -> reading.Order:
    current = settings.load(folder / "nowhere")
    place = folder / "place"
    place.mkdir()
    (place / "open").touch()
    return reading.Order(
        str(place), str(folder), tasks, current.imports, current.signal, current.model, reading.versions()
    )


def test_a_worker_whose_writer_is_gone_leaves_nothing_behind(client: Any, fit_on: Fit, tmp_path: Path) -> None:
    content = fit_on(DAY)
    (tmp_path / "run.fit").write_bytes(content)
    order = _order(tmp_path, Task(tmp_path / "run.fit", "fit", document_id(content), "", {}))
    (tmp_path / "place" / "open").unlink()
    with pytest.raises(ClusterError, match="finds nobody at work"):
        client.submit(reading.read_batch, order, pure=False).result()
    assert _left(tmp_path / "place") == []


def test_a_worker_with_other_versions_refuses_to_read(tmp_path: Path) -> None:
    order = _order(tmp_path)
    other = tuple((name, "0.0.1" if name == "numpy" else version) for name, version in order.versions)
    with pytest.raises(ClusterError, match=r"numpy .* instead of 0\.0\.1.*same versions"):
        reading.read_batch(replace(order, versions=other))


def test_a_worker_that_does_not_see_the_home_says_so_and_lists_no_document(client: Any, tmp_path: Path) -> None:
    order = replace(_order(tmp_path), raw=str(tmp_path / "elsewhere"))
    with pytest.raises(ClusterError, match="does not see the raw documents"):
        client.submit(reading.read_batch, order, pure=False).result()


def _elsewhere(what: str) -> bytes:
    """Return what `eval` makes "here" of in this process, and something else in every other one."""
    return f"'here' if __import__('os').getpid() == {os.getpid()} else {what}".encode()


def test_computations_are_done_on_the_cluster_and_come_back_in_their_order(client: Any, desk: Desk) -> None:
    there = desk.there(client.scheduler.address, "there")
    batches = [[_elsewhere(f"({batch}, {k})") for k in range(3)] if batch != 1 else [] for batch in range(4)]
    found = list(compute(iter(batches), eval, there))
    assert found == [[(batch, k) for k in range(3)] if batch != 1 else [] for batch in range(4)]
    assert not list(desk.folder.glob("hamload-*"))


def test_a_computation_that_ends_every_worker_is_done_here(client: Any, cluster: Any, desk: Desk) -> None:
    there = desk.there(client.scheduler.address, "there")
    former, cluster.scheduler.allowed_failures = cluster.scheduler.allowed_failures, 0
    try:
        assert list(compute([[_elsewhere("__import__('os')._exit(3)")]], eval, there)) == [["here"]]
    finally:
        cluster.scheduler.allowed_failures = former


def test_a_worker_with_other_versions_computes_nothing(tmp_path: Path) -> None:
    (tmp_path / "open").touch()
    (tmp_path / "one").write_bytes(b"twelve bytes")
    asked = Computation(str(tmp_path), "one", len, reading.versions())
    assert reading.carry_out(asked) == 12
    with pytest.raises(ClusterError, match=r"numpy .* instead of 0\.0\.1.*same versions"):
        reading.carry_out(replace(asked, versions=(("numpy", "0.0.1"),)))
    (tmp_path / "open").unlink()
    with pytest.raises(ClusterError, match="finds nobody at work"):
        reading.carry_out(asked)


def test_with_nothing_to_compute_nobody_asks_the_cluster(desk: Desk) -> None:
    there = desk.there("tcp://127.0.0.1:9", "there", cluster_wait_s=0.5)
    assert list(compute([], len, there)) == []
    assert list(compute([[], []], len, there)) == [[], []]
    with pytest.raises(ClusterError, match="does not answer"):
        list(compute([[], [b"one"]], len, there))


def test_a_cluster_that_does_not_answer_ends_the_import_and_nothing_is_lost(
    one_batch: tuple[Path, bytes], desk: Desk
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
    there = desk.there(address, "there", cluster_wait_s=0.5)
    desk.put(there, one_batch[0])
    with pytest.raises(ClusterError, match=r"does not answer.*without that setting recordings are read here"):
        desk.refresh(there)
    assert desk.refresh(desk.here("there"))[0] == 12
    # With nothing to read, nobody asks the cluster.
    assert desk.refresh(desk.there(address, "there", cluster_wait_s=0.5)) == (0, [])


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "tls://127.0.0.1:1"])
def test_a_connection_that_failed_is_closed_at_once(address: str, desk: Desk) -> None:
    from distributed import Client  # noqa: PLC0415  # only these tests have a cluster

    def clients() -> list[Any]:
        return [held for held in gc.get_objects() if isinstance(held, Client)]

    before = clients()
    with pytest.raises(ClusterError, match="does not answer") as told:
        reading.slots_of(desk.there(address, "there", cluster_wait_s=0.2))
    made = [client for client in clients() if not any(client is one for one in before)]
    assert [client.status for client in made] == ["closed"], told.value


def test_a_cluster_without_a_worker_ends_the_import_after_the_wait_and_leaves_nothing_in_shared_storage(
    one_batch: tuple[Path, bytes], desk: Desk
) -> None:
    shared = desk.folder / "shared"
    with _cluster(0) as empty:
        there = desk.there(empty, "there", cluster_wait_s=1, shared=str(shared))
        desk.put(there, one_batch[0])
        with pytest.raises(ClusterError, match=r"no worker for 1 seconds.*Start workers"):
            desk.refresh(there)
    assert _left(shared) == []


def test_a_cluster_that_ends_in_the_middle_ends_the_import_with_what_was_read_kept(
    archive: Path, desk: Desk, undisturbed: dict[str, Any]
) -> None:
    with _cluster(1) as dying:
        there = desk.there(dying, "there", cluster_wait_s=2)
        desk.put(there, archive)
        with pipeline.exclusive(there), pytest.raises(ClusterError):
            pipeline.refresh(there, NIGHT.date(), lambda *_: dying.close())
    here = desk.here("there")
    assert desk.refresh(here)[0] == RUNS - 32, "the first batch is kept"
    assert desk.held(here) == undisturbed


@pytest.mark.long
def test_certificates_of_dasks_own_configuration_open_a_cluster_that_only_they_open(
    one_batch: tuple[Path, bytes], desk: Desk
) -> None:
    import dask  # noqa: PLC0415  # only these tests have a cluster
    import trustme  # noqa: PLC0415
    from distributed import Security  # noqa: PLC0415

    authority, files = trustme.CA(), {}
    authority.cert_pem.write_to_path(str(desk.folder / "ca.pem"))
    for role in ("scheduler", "worker", "client"):
        files[role] = desk.folder / f"{role}.pem"
        authority.issue_cert("localhost", "127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(files[role]))
    tls = {"distributed.comm.tls.ca-file": str(desk.folder / "ca.pem"), "distributed.comm.require-encryption": True}
    certificates = {f"distributed.comm.tls.{role}.cert": str(path) for role, path in files.items()}
    with (
        dask.config.set({**tls, **certificates}),
        _cluster(1, security=Security(), protocol="tls://") as closed,  # type: ignore[no-untyped-call]
    ):
        there = desk.there(closed, "there", cluster_wait_s=30)
        assert there.imports.cluster.startswith("tls://")
        desk.put(there, one_batch[0])
        with (
            dask.config.set(dict.fromkeys(certificates)),
            pytest.raises(ClusterError, match="does not answer"),
        ):
            desk.refresh(there)
        assert desk.refresh(there)[0] == 12


def test_without_the_packages_for_a_cluster_the_remedy_is_told(
    one_batch: tuple[Path, bytes], desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = desk.there("tcp://127.0.0.1:1", "there")
    desk.put(there, one_batch[0])
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'hamload\[cluster\]'.*recordings are read here"):
        desk.refresh(there)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ('cluster = "tcp://10.0.0.1:8786"', "name a folder or an address in shared"),
        ('cluster = "10.0.0.1:8786"\nshared = "/mnt/x"', "cluster"),
        ('cluster = "http://10.0.0.1:8786"\nshared = "/mnt/x"', "cluster"),
        ('shared = "ftp://me:secret@10.0.0.1/x"', "it holds a password"),
    ],
)
def test_a_cluster_that_cannot_work_is_refused_when_the_settings_are_read(
    tmp_path: Path, lines: str, told: str
) -> None:
    (tmp_path / "config.toml").write_text(f"[import]\n{lines}\n")
    with pytest.raises(ConfigurationError, match=re.escape(told)):
        settings.load(tmp_path)


def test_what_comes_back_in_a_parcel_is_what_went_in_to_the_last_digit(fit_on: Fit, tmp_path: Path) -> None:
    current = settings.load(tmp_path)
    outcomes = []
    for number, content in enumerate([fit_on(DAY, "hills", 8), b"no recording", fit_on(DAY, "easy", 2)]):
        path = tmp_path / f"{number}.fit"
        path.write_bytes(content)
        facts = {"sport": "run", "start_at": "2026-11-02T07:00:00+00:00", "elapsed_time_s": 1800, "distance_m": 5000.1}
        task = Task(path, "fit", document_id(content), "", facts if number == 1 else {}, frozenset({0}))
        outcomes.append(read(task, current.signal, current.model))
    assert [len(o.activities) for o in outcomes] == [1, 1, 1]
    for before, after in zip(outcomes, unpacked(packed(outcomes)), strict=True):
        assert replace(after, activities=()) == replace(before, activities=())
        (was,), (now,) = before.activities, after.activities
        assert repr(now.recording) == repr(was.recording).replace("datetime.timezone(datetime.timedelta(0))", "UTC")
        assert repr(replace(now, samples=None)) == repr(replace(was, samples=None))
        assert (now.samples is None) == (was.samples is None)
        if was.samples is not None and now.samples is not None:
            for name in type(was.samples).__slots__:
                left, right = getattr(was.samples, name), getattr(now.samples, name)
                assert left.dtype == right.dtype
                assert left.tobytes() == right.tobytes(), name


@pytest.mark.parametrize("where", [0.0, 0.2, 0.5, 0.999])
def test_a_parcel_that_was_damaged_on_its_way_is_not_opened(where: float, fit_on: Fit, tmp_path: Path) -> None:
    current = settings.load(tmp_path)
    content = fit_on(DAY, minutes=2)
    (tmp_path / "run.fit").write_bytes(content)
    whole = packed(
        [read(Task(tmp_path / "run.fit", "fit", document_id(content), "", {}), current.signal, current.model)]
    )
    place = int(where * len(whole))
    with pytest.raises(ValueError, match="seal"):
        unpacked(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
    with pytest.raises(ValueError, match="seal"):
        unpacked(whole[:place])
