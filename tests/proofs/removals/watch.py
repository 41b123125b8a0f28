"""The invariants, seen from the vendor's side: what was called, when, and what could have been known.

A fact that forbids a removal is noted with its place in the order of events. A call is wrong if the fact was there
before the last look at the member.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils import timezone

from tests.reclamation.removal.stand_in import StandIn

FRESH = timedelta(seconds=5)
QUARANTINE = timedelta(minutes=30)
BETWEEN_LOOKS = timedelta(minutes=5)
CLAIMS = (
    "calls against evidence",
    "calls without consent",
    "calls on old answers",
    "double removals",
    "blind repeats",
    "calls above a limit",
    "false removed",
    "files lost",
    "lost subscriptions",
    "wrong ledger",
    "without an end",
    "an error of our own",
)


Result = tuple[int, dict[str, int], str]  # of a story: its seed, its counters, and what is broken


def claim_of(text: str) -> str:
    """Which invariant a failed story broke."""
    return next((claim for claim in CLAIMS if text.startswith(claim)), CLAIMS[-1])


class Broken(BaseException):
    """An invariant does not hold. The text says which, and how. No worker may take it for an error of its own."""


@dataclass
class Seen:
    """What happened to one member so far, by places in the order of events."""

    forbidden: dict[str, int] = field(default_factory=dict)  # facts in force, and since when
    last_look: int = -1
    last_look_at: datetime | None = None
    last_recent: int = -1
    last_returned: int = -1
    calls: list[tuple[int, datetime]] = field(default_factory=list)
    looks: list[datetime] = field(default_factory=list)
    transfers: int = 0
    removed_by_us: bool = False


class Watch:
    """Follows one team of the vendor."""

    def __init__(self, team: StandIn) -> None:
        self.team = team
        self.members: dict[str, Seen] = {}
        self.order = 0
        self.story: list[str] = []
        self.counters: Counter[str] = Counter()

    def seen(self, member: str) -> Seen:
        return self.members.setdefault(member, Seen())

    def happens(self, text: str) -> int:
        """Something happens; its place in the order."""
        self.order += 1
        self.story.append(f"{timezone.now():%d %H:%M:%S} {text}")
        return self.order

    def forbid(self, member: str, why: str) -> None:
        self.seen(member).forbidden.setdefault(why, self.happens(f"{member}: {why}"))

    def allow(self, member: str, why: str) -> None:
        self.seen(member).forbidden.pop(why, None)

    def forget_decision(self, member: str) -> None:
        """A person or a new find decided anew about a member that had come back: what was before is over."""
        self.seen(member).forbidden.pop("restored", None)
        self.seen(member).calls.clear()

    # --- what the vendor sees ------------------------------------------------------------------------------------

    def note_call(self, verb: str, member: str) -> None:
        place = self.happens(f"  {verb} {member}")
        if verb == "look":
            seen = self.seen(member)
            seen.last_look, seen.last_look_at = place, timezone.now()
            seen.looks.append(timezone.now())
        elif verb == "recent":
            self.seen(member).last_recent = self.seen(member).last_returned = place
        elif verb == "returned":
            for one in member.split(","):
                self.seen(one).last_returned = place

    def check_withdraw(self, member: str, *, counts: bool, most: int) -> None:
        """Judge a call that is about to have an effect, or, where it does not count, to be refused.

        `most` is how many members may be called about in seven days.
        """
        seen, now = self.seen(member), timezone.now()
        self.counters["removals called"] += 1
        if seen.last_look_at is None or now - seen.last_look_at > FRESH:
            self.fail("calls on old answers", member)
        for why, since in seen.forbidden.items():
            asked = {"use": seen.last_recent, "restored": seen.last_returned}
            if since < asked.get(why, seen.last_look):
                self.fail("calls against evidence", f"{member}: {why}")
        self._check_repeat(member, seen)
        week = now - timedelta(days=7)
        others = [
            one for one, other in self.members.items() if one != member and any(at > week for _, at in other.calls)
        ]
        if len(others) >= most:
            self.fail("calls above a limit", f"{member}: {len(others)} others were called about, and {most} may be")
        if counts:
            seen.calls.append((self.order, now))
            seen.removed_by_us = True

    def _check_repeat(self, member: str, seen: Seen) -> None:
        if not seen.calls:
            return
        _, before = seen.calls[-1]
        if not self.team.members[member].is_present:
            self.fail("double removals", member)
        later = [one for one in seen.looks if one >= before + QUARANTINE]
        if not later or later[-1] - later[0] < BETWEEN_LOOKS:
            self.fail("blind repeats", member)
        from reclamation.models import RemovalAttempt  # noqa: PLC0415 - Django is set up by now

        told = RemovalAttempt.objects.filter(external_id=member).exclude(async_job_id="")
        if any(not self.team.jobs[job].over for job in told.values_list("async_job_id", flat=True)):
            # Of a job whose number was lost with its worker nobody can know; two looks have to do.
            self.fail("blind repeats", f"{member}: its first removal is still under way")

    def check_transfer(self, member: str) -> None:
        """Judge a transfer that is about to begin."""
        seen, held = self.seen(member), self.team.members[member]
        self.counters["transfers called"] += 1
        seen.transfers += 1
        if seen.transfers > 1:
            self.fail("files lost", f"{member}: a second transfer")
        if held.is_present:
            self.fail("files lost", f"{member}: it is no former member")

    def fail(self, claim: str, text: str) -> None:
        raise Broken(f"{claim}: {text}\n" + "\n".join(self.story[-60:]))
