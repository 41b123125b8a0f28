"""How long a reconciliation of a million subscriptions takes, and its pages, against the same SQL by hand.

    python benchmarks/reconcile.py --seats 1000000 --database postgresql://user@host/benchmark_reconcile

50 software models, 500 entitlements, allocations, and a year of versions. By hand means one transaction with the same
seats, ranked, covered and stored with the same indexes, and their sums; the product also reads terms and prices, counts
what is aside, drift, bands and options, publishes, signs and deletes what was replaced. Both have to agree on every
model, or the benchmark stops. While the product runs, a reader opens License usage again and again in a thread.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.settings import database, environment  # noqa: E402

PAST = timedelta(days=90)


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="benchmark-") as scratch:
        os.environ.update(environment(database(options.database, Path(scratch))), DEBUG="false")
        os.environ["ALLOWED_HOSTS"] = "testserver"
        os.environ["SERVE_UNCOLLECTED_STATIC"] = "true"
        import django  # noqa: PLC0415 - the environment comes first

        django.setup()
        from benchmarks import reconcile_data  # noqa: PLC0415

        reconcile_data.prepare(options.seats, options.models, options.entitlements)
        print(f"\n{options.seats:,} subscriptions, {options.models} models, {options.entitlements} entitlements\n")
        _print_runs(options.rounds)
        _print_pages(options.page_rounds)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seats", type=int, default=1_000_000)
    parser.add_argument("--models", type=int, default=50)
    parser.add_argument("--entitlements", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--page-rounds", type=int, default=20)
    parser.add_argument("--database", default="sqlite", help='"sqlite" or the URL of a database named benchmark…')
    return parser.parse_args()


def _print_runs(rounds: int) -> None:
    from django.utils import timezone  # noqa: PLC0415

    from benchmarks import lists_data, reconcile_by_hand  # noqa: PLC0415
    from subscriptions.question import end_of  # noqa: PLC0415

    today = timezone.localdate()
    past = today - PAST
    reader = Reader(lists_data.reader())
    reader.client.get("/license-usage/", secure=True)  # compiles the templates
    print("| what | seconds | against by hand |\n|---|---:|---:|")
    for label, day, at in (("today", None, None), ("90 days ago", past, end_of(past))):
        hand, expected = _fastest(lambda on=day, end=at: reconcile_by_hand.run(on or today, end), rounds)
        print(f"| {label}: SQL by hand | {hand:.2f} | 1.0 |", flush=True)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with reader:
            took, run = _fastest(lambda on=day: _reconcile(on), rounds)
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        _compare(run, expected.by_model)
        print(f"| {label}: the product | {took:.2f} | {took / hand:.1f} |", flush=True)
        print(f"| {label}: grown by, MB | {grown:.0f} | |")
    longest = f"p95 {_p95(reader.times):.0f} ms, at most {max(reader.times):.0f} ms"
    print(f"\nA reader meanwhile opened {len(reader.times)} pages: {longest}.")


class Reader:
    """Opens License usage again and again in a thread, as long as it is entered."""

    def __init__(self, client: Any) -> None:
        self.client, self.times, self.is_over = client, [], threading.Event()

    def __enter__(self) -> None:
        self.is_over.clear()
        self.thread = threading.Thread(target=self._read)
        self.thread.start()

    def __exit__(self, *args: object) -> None:
        self.is_over.set()
        self.thread.join()

    def _read(self) -> None:
        from django.db import connection  # noqa: PLC0415

        while not self.is_over.is_set():
            began = time.perf_counter()
            self.client.get("/license-usage/", secure=True)
            self.times.append(1000 * (time.perf_counter() - began))
            self.is_over.wait(0.2)
        connection.close()


def _reconcile(day: Any) -> Any:
    from django.utils import timezone  # noqa: PLC0415

    from profiles.jobs import execute, queue  # noqa: PLC0415
    from profiles.models import JobRun  # noqa: PLC0415
    from subscriptions import recompute  # noqa: PLC0415
    from subscriptions.question import ask  # noqa: PLC0415
    from subscriptions.reconciliation import reconcile  # noqa: PLC0415

    now = timezone.now()
    queue.ring = lambda run: None  # type: ignore[assignment]
    asked, _ = recompute.request(ask(day, now=now), by=None, now=now)
    job = execute.claim(asked.run_id) if asked else None
    if asked is None or job is None:
        raise SystemExit("The reconciliation was not begun.")
    reconcile.run(job, now=now)
    job.finish(JobRun.State.SUCCEEDED)
    asked.refresh_from_db()
    if asked.state != asked.State.COMPLETED:
        raise SystemExit(f"It ended as {asked.state}: {asked.problem}")
    return asked


def _compare(run: Any, expected: dict[int, tuple[int, ...]]) -> None:
    """Both ways have to agree, or the times mean nothing."""
    from subscriptions.models import MetricResult  # noqa: PLC0415

    rows = MetricResult.objects.filter(model_result__product_result__run=run).select_related("model_result")
    found = {
        one.model_result.software_model_id: (one.in_use, one.allocated_in_use, one.unlicensed, one.of_leavers)
        for one in rows
    }
    if found != expected:
        raise SystemExit(f"They differ: {sorted(set(found.items()) ^ set(expected.items()))[:4]}")


def _print_pages(rounds: int) -> None:
    from benchmarks import lists, lists_data, reconcile_by_hand  # noqa: PLC0415
    from subscriptions.models import MetricResult  # noqa: PLC0415

    metric = MetricResult.objects.filter(model_result__current=True).order_by("-in_use")[0]
    client = lists_data.reader()
    print("\n| page | p50 | p95 | its SQL p50 | by hand p50 | p95 / by hand |\n|---|---:|---:|---:|---:|---:|")
    for label, address, statements in reconcile_by_hand.list_pages(metric):
        lists._page(client, address)
        found = [(lists._page(client, address), lists._by_hand(tuple(statements))) for _ in range(rounds)]
        pages, own, hand = [one[0][0] for one in found], [one[0][1] for one in found], [one[1] for one in found]
        middle = lists._p50(hand)
        figures = f"{lists._p50(pages):.0f} | {_p95(pages):.0f} | {lists._p50(own):.0f} | {middle:.1f}"
        print(f"| {label} | {figures} | {_p95(pages) / middle:.1f} |", flush=True)


def _p95(found: list[float]) -> float:
    return sorted(found)[min(len(found) - 1, round(len(found) * 0.95))]


def _fastest(ask: Callable[[], Any], rounds: int) -> tuple[float, Any]:
    """The shortest time of several rounds in seconds, and what the last one gave."""
    times, given = [], None
    for _ in range(rounds):
        began = time.perf_counter()
        given = ask()
        times.append(time.perf_counter() - began)
    return min(times), given


if __name__ == "__main__":
    main()
