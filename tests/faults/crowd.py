"""Many at once, and waiting for what must come."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from django.db import connection


def at_once(count: int, act: Callable[[], Any]) -> list[Any]:
    """What `act` gave to each of so many threads that began together; an error is a result too."""
    return together(*[act] * count)


def together(*acts: Callable[[], Any]) -> list[Any]:
    """What each act gave, in the order they ended, all of them begun in one moment; an error is a result too."""
    found: list[Any] = []
    barrier = threading.Barrier(len(acts))

    def one(act: Callable[[], Any]) -> None:
        try:
            barrier.wait()
            found.append(act())
        except Exception as error:  # noqa: BLE001 - whatever it is, the test looks at it
            found.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return found


def until(wanted: Callable[[], object], seconds: float, pause: float = 0.05) -> float:
    """Wait for it; how long that took. Fails after so many seconds."""
    began = time.monotonic()
    while not wanted():
        assert time.monotonic() - began < seconds, f"It did not come within {seconds} seconds."
        time.sleep(pause)
    return time.monotonic() - began
