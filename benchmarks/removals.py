"""How many calls and how much time a batch of a thousand removals takes, against the sandbox over HTTP.

    python benchmarks/removals.py --removals 1000 --database postgresql://user@host/benchmark_removals

Reclaim is pressed once for all of them, a second person agrees, and one run goes through them. The first gate asks
about the whole batch, then each account is looked at and asked about once more before its one call. The vendor's
share is the time in which the sandbox worked on answers; it runs in this process. The database has to be a new one.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.settings import database, environment  # noqa: E402

LABELS = {
    "team/members/get_info_v2": "looks at accounts",
    "team_log/get_events": "questions to the log",
    "team_log/get_events/continue": "further pages of the log",
    "team/members/remove": "removals",
    "team/members/remove/job_status/get": "polls of jobs",
    "team/get_info": "questions about the team",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--removals", type=int, default=1000)
    parser.add_argument("--database", default="sqlite", help='"sqlite" or the URL of a new database named benchmark…')
    parser.add_argument("--json", action="store_true", help="one line of JSON instead of tables")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="benchmark-") as scratch:
        os.environ.update(environment(database(options.database, Path(scratch))), DEBUG="false")
        os.environ["FIELD_ENCRYPTION_KEYS"] = Fernet.generate_key().decode()
        found = _measure(options.removals)
    if options.json:
        print(json.dumps(found))
    else:
        _print(found)


def _measure(removals: int) -> dict[str, Any]:
    from profiles.connectors.dropbox import sandbox as sandboxes  # noqa: PLC0415
    from profiles.connectors.dropbox.sandbox import log, serving  # noqa: PLC0415
    from profiles.connectors.dropbox.sandbox.team import Team  # noqa: PLC0415

    log._is_active_on = lambda *given: False  # type: ignore[assignment] - nobody uses anything, so all are idle
    people = removals * 5 // 4 + 40
    sandbox = sandboxes.Sandbox([Team("Large", "large.example", people, removals * 6)])
    calls, spent = _count_calls(sandbox)
    server = serving.serve(sandbox).start()
    names = ("DROPBOX_AUTHORIZE_URL", "DROPBOX_TOKEN_URL", "DROPBOX_API_URL")
    os.environ.update(
        zip(names, (f"{server.url}/oauth2/authorize", f"{server.url}/oauth2/token", server.url), strict=True)
    )
    import django  # noqa: PLC0415 - the environment comes first

    django.setup()
    try:
        return _remove(sandbox, removals, calls, spent)
    finally:
        server.shutdown()


def _count_calls(sandbox: Any) -> tuple[Counter[str], list[float]]:
    """How often each route is called from here on, and how long each answer took."""
    calls: Counter[str] = Counter()
    spent: list[float] = []
    real = sandbox.handle

    def handle(request: Any) -> Any:
        began = time.perf_counter()
        try:
            return real(request)
        finally:
            spent.append(time.perf_counter() - began)
            calls[request.path.removeprefix("/2/").strip("/")] += 1

    sandbox.handle = handle
    return calls, spent


def _remove(sandbox: Any, removals: int, calls: Counter[str], spent: list[float]) -> dict[str, Any]:
    from django.core.management import call_command  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    from reclamation.models import RemovalAttempt  # noqa: PLC0415
    from reclamation.removal import batches, limits  # noqa: PLC0415
    from tests.faults.idle_team import IdleTeam  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    house = IdleTeam(sandbox)
    batch = house.press(house.candidates(house.rule(), removals))
    calls.clear(), spent.clear()
    began = time.perf_counter()
    if batch.state == batch.State.QUARANTINED:
        batches.decide(batch.pk, approve=True, by=house.bob, now=timezone.now())
    pressed = time.perf_counter() - began
    began = time.perf_counter()
    run = house.work()
    whole = time.perf_counter() - began
    if run is None or run.state != "succeeded":
        raise SystemExit(f"The run ended as {run and run.state}: {run and run.error_message}")
    done = RemovalAttempt.objects.filter(state=RemovalAttempt.State.REMOVED).count()
    return {
        "removals": removals,
        "removed": done,
        "calls": dict(calls),
        "approving": pressed,
        "seconds": whole,
        "vendor": sum(spent),
        "gap": limits.check_to_call_figures(now=timezone.now()),
    }


def _print(found: dict[str, Any]) -> None:
    removals = found["removals"]
    print(f"\n{removals:,} removals in one batch, {found['removed']:,} removed\n")
    print("| calls | in all | per removal |\n|---|---:|---:|")
    for route, count in sorted(found["calls"].items(), key=lambda item: -item[1]):
        print(f"| {LABELS.get(route, route)} (`{route}`) | {count:,} | {count / removals:.2f} |")
    print("\n| time | seconds | ms per removal |\n|---|---:|---:|")
    own = found["seconds"] - found["vendor"]
    for what, value in (
        ("a second person agrees", found["approving"]),
        ("the run", found["seconds"]),
        ("of it the vendor's", found["vendor"]),
        ("of it our own", own),
    ):
        print(f"| {what} | {value:.1f} | {1000 * value / removals:.0f} |")
    gap = found["gap"] or {}
    print("\n| from the last look to the call | ms |\n|---|---:|")
    for name in ("median", "p99", "most"):
        print(f"| {name} | {gap.get(name)} |")


if __name__ == "__main__":
    main()
