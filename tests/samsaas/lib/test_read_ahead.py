"""Reading ahead: items are fetched while others are processed, in order, and errors reach the reader."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator

import pytest

from samsaas.lib import read_ahead

pytestmark = pytest.mark.django_db(transaction=True)


def reader_is_gone() -> bool:
    return not any(thread.name == "read-ahead" for thread in threading.enumerate())


def until(condition) -> None:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert condition()


def test_items_come_in_order_and_the_thread_ends() -> None:
    assert list(read_ahead.read(range(1000), depth=3)) == list(range(1000))
    until(reader_is_gone)


def test_the_thread_does_not_wait_long_for_a_busy_reader() -> None:
    """A tenth of what Python lets a busy thread work on; a page of events is folded in less than that."""
    list(read_ahead.read([1], depth=1))
    assert sys.getswitchinterval() <= 0.0005


def test_the_next_item_is_fetched_while_the_last_one_is_being_written() -> None:
    second_was_asked_for = threading.Event()

    def source() -> Iterator[int]:
        yield 1
        second_was_asked_for.set()
        yield 2

    for item in read_ahead.read(source(), depth=1):
        if item == 1:
            assert second_was_asked_for.wait(10), "nothing was fetched while the first item was in hand"


def test_it_is_never_more_than_depth_ahead() -> None:
    fetched: list[int] = []

    def source() -> Iterator[int]:
        for number in range(100):
            fetched.append(number)
            yield number

    reading = read_ahead.read(source(), depth=4)
    assert next(reading) == 0
    time.sleep(0.2)
    assert len(fetched) <= 1 + 4 + 1
    reading.close()  # type: ignore[attr-defined]
    until(reader_is_gone)


def test_an_error_is_raised_after_what_came_before_it() -> None:
    def source() -> Iterator[int]:
        yield 1
        raise LookupError("the vendor broke")

    got: list[int] = []
    with pytest.raises(LookupError, match="the vendor broke"):
        got.extend(read_ahead.read(source(), depth=5))
    assert got in ([], [1])
    until(reader_is_gone)


def test_a_reader_who_stops_stops_the_fetching(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_ahead, "TICK_SECONDS", 0.05)
    for _ in read_ahead.read(iter(int, 1), depth=2):
        break
    until(reader_is_gone)


def test_while_nothing_comes_the_caller_can_look_after_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_ahead, "TICK_SECONDS", 0.02)

    class Canceled(Exception):
        pass

    def cancel() -> None:
        raise Canceled

    def source() -> Iterator[int]:
        threading.Event().wait(5)
        yield 1

    began = time.monotonic()
    with pytest.raises(Canceled):
        list(read_ahead.read(source(), depth=1, idle=cancel))
    assert time.monotonic() - began < 4
