"""What the product shows, compared: with the ledger exactly, and its claim to know all use with the truth."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from subscriptions.activity import last_used
from subscriptions.activity.coverage import reach
from subscriptions.models import Subscription
from tests.proofs.twin.findings import Findings
from tests.proofs.twin.ledger import Ledger, Seat
from tests.proofs.twin.spoiling import Judge
from tests.proofs.twin.truth import Event

A_SECOND = timedelta(seconds=1)  # in which the vendor tells its time
ALLOWED = ("later than 72 hours", "lost without a trace", "under a name that leads elsewhere")


class Claims:
    """`believed` is the vendor's moment of the reading until which the product's coverage reaches, by team."""

    def __init__(self, profile: Any, ledger: Ledger, judge: Judge, findings: Findings) -> None:
        self.profile, self.ledger, self.judge, self.findings = profile, ledger, judge, findings
        self.believed: dict[str, datetime] = {}
        self.unrecorded: tuple[str, ...] = ()  # kinds of use that the plan keeps no record of

    def check(self, now: datetime) -> None:
        seats = last_used.with_idle_facts(Subscription.objects.filter(profile=self.profile), now)
        shown = {seat.external_id: seat for seat in seats.select_related("last_activity")}
        days: dict[str, dict[date, int]] = {name: {} for name in shown}
        rows = self.profile.subscriptions.values_list(
            "external_id", "activity_days__day", "activity_days__events", "activity_days__earlier"
        )
        for name, day, events, earlier in rows:
            if day and max(events, earlier):
                days[name][day] = max(events, earlier)
        if shown.keys() != self.ledger.seats.keys():
            self.wrong("presence", f"seats {sorted(shown.keys() ^ self.ledger.seats.keys())} are on one side only")
        until = {one.profile_id: one.until for one in reach.read_knowledge(now).reaches}.get(self.profile.pk)
        if until and until > (moment := self.believed[self.profile.team_id]) + A_SECOND:
            self.wrong("covered", f"the log was read at {moment} and is called covered until {until}")
        for name in sorted(shown.keys() & self.ledger.seats.keys()):
            self._compare(shown[name], days[name], self.ledger.seats[name])
            self._check_presence(shown[name], self.ledger.seats[name])
            if shown[name].vouched_from and until:
                self._check_covered(shown[name], self.ledger.seats[name], until, now)

    def wrong(self, what: str, text: str) -> None:
        self.findings.wrong.append(f"{what}: {text}")

    def _compare(self, shown: Any, days: dict[date, int], seat: Seat) -> None:
        self.findings.seats += 1
        self.findings.days += len(days)
        last = getattr(shown, "last_activity", None)
        if (last and last.at) != seat.last:
            self.wrong("last activity", f"{shown.external_id} shows {last and last.at}, the ledger has {seat.last}")
        if days != (expected := seat.shown_days()):
            differ = {day for day in days.keys() | expected.keys() if days.get(day) != expected.get(day)}
            told = [f"{day}: {days.get(day)} for {expected.get(day)}" for day in sorted(differ)]
            self.wrong("days", f"{shown.external_id} {told}")
        if (shown.ended_at is not None) != seat.ended:
            self.wrong("presence", f"{shown.external_id} ended at {shown.ended_at}, the ledger says {seat.ended}")

    def _check_presence(self, shown: Any, seat: Seat) -> None:
        """Nobody is ended who is in the team, and nobody stays so whose record could be read again."""
        if shown.ended_at is None or seat.member not in self.ledger.members_at_listing:
            return
        could_be_read = self.ledger.listing.get(shown.external_id, (None, ""))[1] == "all"
        if could_be_read or shown.external_id not in self.ledger.ended_before:
            self.wrong("presence", f"{shown.external_id} ended at {shown.ended_at}, and is in the team")

    def _check_covered(self, shown: Any, seat: Seat, until: datetime, now: datetime) -> None:
        """All true use since `vouched_from` that the log showed when it was read is known."""
        if shown.ended_at is not None:
            return
        self.findings.covered += 1
        moment = self.believed[self.profile.team_id]
        for use in seat.member.uses:
            if not shown.vouched_from <= use.at < until or use.visible > moment or use.kind in self.unrecorded:
                continue
            if shown.external_id in self.ledger.credited[use]:
                continue
            if excuse := self._excuse(use):
                self.findings.excused[excuse] += 1
                continue
            self.wrong(
                "covered",
                f"{shown.external_id} is covered from {shown.vouched_from} until {until}, last used "
                f"{last_used.idle(shown, now)}, without its use at {use.at} ({use.kind}, by {use.form}, "
                f"in the log since {use.visible})",
            )

    def _excuse(self, use: Event) -> str:
        """Why the product cannot know this use; empty if it can."""
        if use.is_too_late:
            return ALLOWED[0]
        if use in self.judge.hidden:
            return ALLOWED[1]
        by_name = use.form not in ("full", "id")
        if by_name and self.ledger.elsewhere.get(use) and not self.ledger.leads_home(use):
            return ALLOWED[2]
        return ""

    def check_alive(self, start: datetime, now: datetime) -> None:
        """After two healthy refreshes everything is covered: each active seat since it was assigned, or the start."""
        seats = last_used.with_idle_facts(self.profile.subscriptions.filter(ended_at=None), now)
        listed = {member.member_id for member in self.ledger.members_at_listing}
        if (shown := {seat.external_id for seat in seats}) != listed:
            self.wrong("alive", f"listed here or there only: {sorted(shown ^ listed)}")
        for seat in seats.filter(status="active"):
            if seat.vouched_from is None or seat.vouched_from > max(start, seat.assigned_at or start):
                told = f"{seat.external_id} (known since {seat.known_since}, assigned {seat.assigned_at})"
                self.wrong("alive", f"{told} is covered only from {seat.vouched_from}, not from {start}")
