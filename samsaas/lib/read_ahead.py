"""Reading ahead: a thread fetches the next items while the caller works on the last ones."""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import TypeVar

from django.db import connection

Item = TypeVar("Item")

TICK_SECONDS = 1.0
# So long a thread that could go on waits for a busy one. Python's 5 ms are longer than a page takes to be folded, so
# nothing would be fetched meanwhile.
SWITCH_SECONDS = 0.0005


def read(source: Iterable[Item], *, depth: int, idle: Callable[[], None] = lambda: None) -> Iterator[Item]:
    """The items of `source`. A thread fetches them, at most `depth` ahead. Raises what `source` raises.

    `idle` is called once for every second without a new item. The thread has its own database connection, which cannot
    see the caller's open transaction. So inside a transaction nothing is read ahead. From the first call on, all
    threads of this process take turns more often.
    """
    if connection.in_atomic_block:
        yield from source
        return
    sys.setswitchinterval(min(sys.getswitchinterval(), SWITCH_SECONDS))
    waiting: queue.Queue[tuple[bool, Item | BaseException | None]] = queue.Queue(depth)
    over = threading.Event()
    thread = threading.Thread(target=_fetch_items, args=(source, waiting, over), name="read-ahead", daemon=True)
    thread.start()
    try:
        while True:
            try:
                is_item, found = waiting.get(timeout=TICK_SECONDS)
            except queue.Empty:
                idle()
                continue
            if is_item:
                yield found  # type: ignore[misc]
            elif found is None:
                return
            else:
                raise found  # type: ignore[misc]
    finally:
        over.set()


def _fetch_items(
    source: Iterable[Item], waiting: queue.Queue[tuple[bool, Item | BaseException | None]], over: threading.Event
) -> None:
    try:
        for item in source:
            if not _hand_over(waiting, (True, item), over):
                return
        _hand_over(waiting, (False, None), over)
    except BaseException as error:  # noqa: BLE001 - the reader must get every error
        _hand_over(waiting, (False, error), over)
    finally:
        if isinstance(source, Generator):
            source.close()
        connection.close()


def _hand_over(
    waiting: queue.Queue[tuple[bool, Item | BaseException | None]],
    item: tuple[bool, Item | BaseException | None],
    over: threading.Event,
) -> bool:
    while not over.is_set():
        try:
            waiting.put(item, timeout=TICK_SECONDS)
        except queue.Full:
            continue
        return True
    return False
