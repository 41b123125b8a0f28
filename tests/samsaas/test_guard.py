"""The guard starts worker and beat again when they end without being asked, and lets them go when they are."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from samsaas import guard
from tests.faults.crowd import until

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.own_database
# A process under guard: it notes each of its starts, and does what it is told.
GUARDED = """
import os, signal, sys, time
from samsaas import guard
guard.SHORTEST_PAUSE = 0.05
guard.stand_guard()
print(os.getpid(), flush=True)
{rest}
"""
WAIT = "signal.signal(signal.SIGTERM, lambda *_: sys.exit(7)); time.sleep(60)"


class Guarded:
    def __init__(self, folder: Path, rest: str) -> None:
        self.out = folder / "starts"
        with self.out.open("wb") as output:
            command = [sys.executable, "-c", GUARDED.format(rest=rest)]
            self.guard = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.PIPE)

    def starts(self) -> list[int]:
        return [int(line) for line in self.out.read_text().split()]

    def wait_for_start(self, number: int) -> int:
        until(lambda: len(self.starts()) >= number, 20)
        return self.starts()[number - 1]


@contextmanager
def guarded(folder: Path, rest: str) -> Iterator[Guarded]:
    made = Guarded(folder, rest)
    try:
        yield made
    finally:
        made.guard.kill()
        made.guard.wait()


def test_a_process_that_dies_is_started_again_until_somebody_stops_it(tmp_path: Path) -> None:
    with guarded(tmp_path, WAIT) as made:
        for number, how in enumerate((signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT), start=1):
            os.kill(made.wait_for_start(number), how)
        made.wait_for_start(4)
        made.guard.send_signal(signal.SIGTERM)
        assert made.guard.wait(20) == 7, "the child decides how it ends"
        assert len(made.starts()) == 4


@pytest.mark.parametrize(("rest", "code"), [("sys.exit(0)", 0), ("sys.exit(2)", 2), ("sys.exit(os.EX_CONFIG)", 78)])
def test_an_end_on_purpose_is_the_end(tmp_path: Path, rest: str, code: int) -> None:
    """Shut down by remote control, called with a wrong option, refused for its configuration."""
    with guarded(tmp_path, rest) as made:
        assert made.guard.wait(20) == code and len(made.starts()) == 1


def test_an_error_nobody_expected_starts_it_again_more_and_more_slowly(tmp_path: Path) -> None:
    with guarded(tmp_path, "raise AttributeError('hostname')") as made:
        made.wait_for_start(4)
        made.guard.send_signal(signal.SIGTERM)
        made.guard.wait(20)
        assert made.guard.stderr and "is started again in" in made.guard.stderr.read().decode()


def test_a_guard_that_is_killed_leaves_no_process_behind(tmp_path: Path) -> None:
    with guarded(tmp_path, WAIT) as made:
        child = made.wait_for_start(1)
        made.guard.kill()
        made.guard.wait()
        until(lambda: not Path(f"/proc/{child}").exists() or "Z" in Path(f"/proc/{child}/stat").read_text(), 20)


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("/venv/bin/celery -A samsaas.liveness worker --concurrency 4", True),
        ("/venv/lib/celery/__main__.py -A samsaas.liveness beat --pidfile=", True),
        ("celery --app=samsaas.liveness worker", True),
        ("celery -A samsaas.liveness inspect ping --destination worker", False),
        ("celery -A samsaas.liveness control shutdown", False),
        ("pytest worker", False),
        ("manage.py shell", False),
    ],
)
def test_only_a_worker_or_a_beat_is_guarded(line: str, wanted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    assert guard.is_wanted(line.split()) is wanted
    monkeypatch.setenv(guard.MARK, str(os.getppid()))  # it replaced itself after SIGHUP
    assert not guard.is_wanted(line.split())
