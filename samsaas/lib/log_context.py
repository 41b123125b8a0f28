"""Which request and which run a line of the log belongs to, known to whatever logs while it is worked on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

REQUEST: ContextVar[str] = ContextVar("request", default="")
RUN: ContextVar[int | None] = ContextVar("run", default=None)


@contextmanager
def note_request(number: str) -> Iterator[None]:
    """Every line until the end belongs to this request."""
    noted = REQUEST.set(number)
    try:
        yield
    finally:
        REQUEST.reset(noted)


@contextmanager
def note_run(number: int) -> Iterator[None]:
    """Every line until the end belongs to this run."""
    noted = RUN.set(number)
    try:
        yield
    finally:
        RUN.reset(noted)
