"""A parent process that starts worker or beat again whenever it ends and nobody asked it to.

`celery -A samsaas.liveness worker` or `beat` forks here before it loads anything: the child goes on as the process, the
parent waits for it. Celery ends at errors it does not expect, such as its own while it reconnects to Redis.

1. Signals go on to the child. After a signal to stop, the guard ends with the child, and with its exit code.
2. A child that ended well, could not be configured or was called wrongly is not started again.
3. Any other end is followed by a new child, after a pause that doubles while children die young.
4. If the guard is killed, its child stops: it would be missed by nobody who looks for the guard.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

GUARDED = (["worker"], ["beat"])
# Celery's options before the command that take a value of their own.
WITH_VALUE = {"-A", "--app", "-b", "--broker", "--result-backend", "--loader", "--config", "--workdir"}
USAGE = 2
FINAL = (os.EX_OK, USAGE, os.EX_CONFIG)
STOP = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
FORWARDED = (*STOP, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
SHORTEST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
YOUNG_SECONDS = 60.0
MARK = "SAMSAAS_GUARD"  # the guard's process id, for a worker that replaces itself after SIGHUP


def is_wanted(arguments: list[str]) -> bool:
    """Whether this is celery's command line for a worker or a beat, and no guard watches it yet."""
    program, words = Path(arguments[0]), zip(arguments, arguments[1:], strict=False)
    commands = [word for before, word in words if not word.startswith("-") and before not in WITH_VALUE]
    is_celery = "celery" in (program.name, program.parent.name)  # its script, or python -m celery
    return is_celery and commands[:1] in GUARDED and os.environ.get(MARK) != str(os.getppid())


def stand_guard() -> None:
    """Return in the child, which becomes the worker or the beat. The parent stays here and ends with its last child."""
    guard = Guard()
    while guard.start_child():
        guard.rest_before_next(guard.wait_for_child())


class Guard:
    """The parent's side: the child at work, and whether somebody asked for the end."""

    def __init__(self) -> None:
        self.stopping = False
        self.child = 0
        self.pause = SHORTEST_PAUSE
        self.began = 0.0
        self.lifeline = -1

    def start_child(self) -> bool:
        """Fork. True in the parent, False in the child."""
        read, self.lifeline = os.pipe()
        guard, self.began = os.getpid(), time.monotonic()
        signal.pthread_sigmask(signal.SIG_BLOCK, FORWARDED)  # one that comes now is for the new child
        self.child = os.fork()
        for number in FORWARDED:
            signal.signal(number, self._forward if self.child else _default_action(number))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, FORWARDED)
        if self.child:
            os.close(read)
            return True
        os.close(self.lifeline)
        os.environ[MARK] = str(guard)
        threading.Thread(target=_stop_with_guard, args=(read,), name="guard", daemon=True).start()
        return False

    def wait_for_child(self) -> int:
        """The child's exit code, negative for a signal."""
        _, status = os.waitpid(self.child, 0)
        self.child = 0
        os.close(self.lifeline)
        return os.waitstatus_to_exitcode(status)

    def rest_before_next(self, code: int) -> None:
        """Wait until another child may start. Ends the process where none is wanted."""
        if self.stopping or code in FINAL:
            sys.exit(code if code >= 0 else 128 - code)
        young = time.monotonic() - self.began < YOUNG_SECONDS
        self.pause = min(self.pause * 2, LONGEST_PAUSE) if young else SHORTEST_PAUSE
        sys.stderr.write(f"samsaas: the process ended with {code}; it is started again in {self.pause:.0f} s.\n")
        until = time.monotonic() + self.pause
        while not self.stopping and time.monotonic() < until:
            time.sleep(0.1)
        if self.stopping:
            sys.exit(os.EX_OK)

    def _forward(self, number: int, frame: FrameType | None) -> None:
        self.stopping = self.stopping or number in STOP
        # Ctrl-C reaches both of us, and a second one would end running jobs at once.
        if self.child and not (number == signal.SIGINT and sys.stdin.isatty()):
            with suppress(ProcessLookupError):
                os.kill(self.child, number)


def _default_action(number: int) -> Any:
    return signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL


def _stop_with_guard(lifeline: int) -> None:
    """Nothing is ever written to it: it is readable once the guard is gone."""
    os.read(lifeline, 1)
    os.kill(os.getpid(), signal.SIGTERM)
