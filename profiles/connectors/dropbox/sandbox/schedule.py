"""Faults by a number: the same seed plans the same faults, so a schedule that failed is run again from its seed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from profiles.connectors.dropbox.sandbox.faults import Fault
from profiles.connectors.dropbox.sandbox.messages import Delivery
from profiles.connectors.dropbox.sandbox.team import roll

EFFECTS = ("team/members/remove", "team/members/recover", "team/members/move_former_member_files")
JOBS = ("team/members/remove/job_status/get", "team/members/move_former_member_files/job_status/check")
READS = (
    "team/get_info",
    "team/members/get_info_v2",
    "team/members/list_v2",
    "team/members/list/continue_v2",
    "team_log/get_events",
    "team_log/get_events/continue",
)
RESET, CUT = Delivery(reset=True), Delivery(truncate=3)
LATEST = 40 * 60  # seconds, which is later than the product waits before it looks what became of a lost answer


def _tagged(status: int, tag: str, **more: Any) -> Fault:
    return Fault(status=status, body={"error_summary": f"{tag}/.", "error": {".tag": tag}}, **more)


def _late(number: int) -> dt.timedelta:
    return dt.timedelta(seconds=1 + number % LATEST)


Plan = Callable[[int], Fault]
EFFECT_FAULTS: dict[str, Plan] = {
    "answer lost before the effect": lambda number: Fault(status=503, delivery=RESET),
    "answer lost after the effect": lambda number: Fault(delivery=RESET),
    "answer cut after the effect": lambda number: Fault(delivery=CUT),
    "answer lost, effect late": lambda number: Fault(status=503, delivery=RESET, late=_late(number)),
    "5xx before the effect": lambda number: Fault(status=503),
    "5xx after the effect": lambda number: Fault(status=500, acts=True),
    "5xx, effect late": lambda number: Fault(status=502, late=_late(number)),
    "page of a proxy after the effect": lambda number: Fault(status=200, body="<html>welcome</html>", acts=True),
    "throttled": lambda number: Fault(status=429, headers={"Retry-After": str(1 + number % 60)}),
    "token expired": lambda number: _tagged(401, "expired_access_token"),
    "busy": lambda number: _tagged(409, "transfer_in_progress"),
}
JOB_FAULTS: dict[str, Plan] = {
    "job failed before the effect": lambda number: _tagged(409, "internal_error", drops=True),
    "job failed after the effect": lambda number: _tagged(409, "internal_error", acts=True),
    "job forgotten": lambda number: _tagged(409, "invalid_async_job_id"),
    "still in progress": lambda number: Fault(status=200, body={".tag": "in_progress"}),
    "poll lost": lambda number: Fault(status=503, delivery=RESET),
}
READ_FAULTS: dict[str, Plan] = {
    "outage": lambda number: Fault(status=503),
    "answer lost": lambda number: Fault(delivery=RESET),
    "throttled": lambda number: Fault(status=429, headers={"Retry-After": "1"}),
    "token expired": lambda number: _tagged(401, "expired_access_token"),
}


def _everywhere() -> dict[str, Mapping[str, Plan]]:
    return {
        **dict.fromkeys(EFFECTS, EFFECT_FAULTS),
        **dict.fromkeys(JOBS, JOB_FAULTS),
        **dict.fromkeys(READS, READ_FAULTS),
    }


@dataclass(kw_only=True)
class Schedule:
    """Which call of which route fails, and how, by seed, route and number of the call alone.

    `percent` of the calls fail. `plans` has the kinds of faults by route. `armed` lists what was planned so far, for a
    person who reads a failing schedule.
    """

    seed: int
    percent: int = 25
    plans: dict[str, Mapping[str, Plan]] = field(default_factory=_everywhere)
    armed: list[str] = field(default_factory=list)

    def plan(self, route: str, nth: int) -> Fault | None:
        """The fault of the nth call of a route, counted from 1."""
        kinds = self.plans.get(route)
        if not kinds or roll(self.seed, route, nth, "whether") % 100 >= self.percent:
            return None
        number = roll(self.seed, route, nth, "which")
        name = sorted(kinds)[number % len(kinds)]
        self.armed.append(f"{route} #{nth}: {name}")
        return kinds[name](roll(self.seed, route, nth, "how long"))
