"""What stands around the product while a world is played: the clock is ours, the vendor is behind the transport.

Nothing sleeps. No thread shows that a worker lives, since a test's transaction is seen by its own connection only; and
no message rings for a run, since the story looks for the runs itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from typing import Any
from unittest import mock

import responses

from profiles.jobs.job import Job
from tests.clock import Journey

VENDOR = re.compile("https://sandbox.example/.*")
QUIET: dict[str, Any] = {
    "profiles.jobs.execute.keep_alive": lambda job: nullcontext(),
    "profiles.jobs.queue.ring": lambda run: None,
    "profiles.jobs.queue.announce_end": lambda: None,
    "subscriptions.activity.reading.BATCH_SECONDS": float("inf"),
    "subscriptions.download.download.BATCH_SECONDS": float("inf"),
}


@contextmanager
def setting(
    journey: Journey,
    sizes: dict[str, int],
    answer: Callable[..., Any],
    wait: Callable[[Job, float], None],
    before_storing: Callable[[Job, dict[str, Any]], None],
) -> Iterator[None]:
    """The stage of one world. `sizes` are the constants of the product that make pages and batches small.

    `answer` is the vendor, `wait` lets time go by in place of sleeping, `before_storing` is called with whatever a
    worker is about to write of its progress.
    """
    progress = Job.progress

    def store(job: Job, **changes: Any) -> None:
        before_storing(job, changes)
        progress(job, **changes)

    journey.begin()
    with ExitStack() as stack:
        stack.callback(journey.end)
        for name, value in {**QUIET, **sizes}.items():
            stack.enter_context(mock.patch(name, value))
        stack.enter_context(mock.patch.object(Job, "wait", lambda job, seconds, reason: wait(job, seconds)))
        stack.enter_context(mock.patch.object(Job, "progress", store))
        transport = stack.enter_context(responses.RequestsMock(assert_all_requests_are_fired=False))
        transport.add_callback("POST", VENDOR, answer)
        yield
