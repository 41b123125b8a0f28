"""What of reclamation waits for a person: for the start page, each figure with the rows behind it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.db.models import Count
from django.urls import reverse
from django.utils import timezone

from reclamation.asking import approvers
from reclamation.asking.filters import FAILED_OPEN, MINE, failed_open
from reclamation.models import Approval, RemovalAttempt, RemovalBatch, RemovalCandidate
from reclamation.removal import regret
from reclamation.removal.filters import ENDS_SOON, REGRETTED, SOON_HOURS, ends_soon
from reclamation.states import State
from samsaas import policy
from samsaas.models import Mail
from subscriptions.links import LEFT_ADMIN
from subscriptions.seat_counts import stored
from subscriptions.seat_counts.count import LEFT_ADMINS


class Rank(IntEnum):
    """In which order a person should look. Source: specification of reconciliation, section 10."""

    REGRETTED = 0
    FAILED_RUNS = 1
    BATCHES = 2
    ATTEMPTS = 3
    RESTORABLE = 4
    APPROVALS = 5
    ATTENTION = 6
    READY = 7
    LEFT_ADMINS = 8
    MAILS = 9
    PEOPLE = 10
    RULES = 11
    RENEWALS = 12
    COMPLIANCE = 13
    DRIFT = 14
    UNMATCHED = 15
    UNRECOGNIZED = 16


SINGULAR = {
    "Administrators who left": "Administrator who left",
    "Batches": "Batch",
    "Candidates": "Candidate",
    "Differences": "Difference",
    "Entitlements": "Entitlement",
    "Files of people": "File of people",
    "Mails that failed": "Mail that failed",
    "Publishers": "Publisher",
    "Questions to you": "Question to you",
    "Reclamation rules": "Reclamation rule",
    "Removals that can be undone": "Removal that can be undone",
    "Removals that need a person": "Removal that needs a person",
    "Renewals": "Renewal",
    "Subscription identifiers": "Subscription identifier",
}


@dataclass(frozen=True)
class Waiting:
    """One kind of thing that waits: how many, what they are, and the list of them. None: there is nothing to count."""

    rank: Rank
    count: int | None
    label: str
    note: str
    url: str
    tone: str = "warn"

    @property
    def words(self) -> str:
        """What they are; what it is, where there is one."""
        return SINGULAR.get(self.label, self.label) if self.count == 1 else self.label


def list_for(
    user: User, seats: stored.SeatFigures | None = None, states: Mapping[str, int] | None = None
) -> list[Waiting]:
    """What of reclamation waits for somebody with the roles of this account, most urgent first.

    Kinds without any are left out. `seats` are the stored counts, and `states` the numbers of open candidates by their
    state, if the caller has read them.
    """
    found = [*_removals(user), *_questions(user), *_candidates(user, seats, states), *_mails(user)]
    return sorted((one for one in found if one.count), key=lambda one: one.rank)


def _removals(user: User) -> Iterator[Waiting]:
    if policy.may(user, "attempt_list"):
        alarms = regret.open_alarms().count()
        url = _url("attempt_list", state=REGRETTED)
        yield Waiting(Rank.REGRETTED, alarms, "Removed although used", "restore them", url, "bad")
        attempts = RemovalAttempt.objects.filter(dry_run=False)
        state = RemovalAttempt.State.NEEDS_HUMAN.value
        needing = attempts.filter(state=state).count()
        url = _url("attempt_list", state=state)
        yield Waiting(Rank.ATTEMPTS, needing, "Removals that need a person", "decide", url, "bad")
        ending = attempts.filter(ends_soon(timezone.now())).count()
        note, url = f"for less than {SOON_HOURS} hours more", _url("attempt_list", state=ENDS_SOON)
        yield Waiting(Rank.RESTORABLE, ending, "Removals that can be undone", note, url, "info")
    if policy.may(user, "batch_list"):
        stopped = RemovalBatch.State.QUARANTINED
        batches = RemovalBatch.objects.filter(state=stopped).count()
        url = _url("batch_list", state=stopped.value)
        yield Waiting(Rank.BATCHES, batches, "Batches", "waiting for a second person", url)


def _questions(user: User) -> Iterator[Waiting]:
    asked = Approval.objects.filter(approvers.asked_of(user), at=None).count()
    url = _url("approval_list", show=MINE)
    yield Waiting(Rank.APPROVALS, asked, "Questions to you", "approve or reject", url)


def _candidates(user: User, seats: stored.SeatFigures | None, states: Mapping[str, int] | None) -> Iterator[Waiting]:
    if not policy.may(user, "candidate_list"):
        return
    counted = _count_by_state() if states is None else states
    for rank, state, note, tone in (
        (Rank.ATTENTION, State.ATTENTION_REQUIRED, "attention required", "warn"),
        (Rank.READY, State.READY, "ready to be reclaimed", "info"),
    ):
        url = _url("candidate_list", state=state.value)
        yield Waiting(rank, counted.get(state, 0), "Candidates", note, url, tone)
    left = (seats or stored.read()).total[LEFT_ADMINS]
    url = _url("subscription_list", user=LEFT_ADMIN)
    yield Waiting(Rank.LEFT_ADMINS, left, "Administrators who left", "never proposed", url)


def _count_by_state() -> dict[str, int]:
    return dict(RemovalCandidate.objects.open().order_by().values_list("state").annotate(count=Count("*")))


def _mails(user: User) -> Iterator[Waiting]:
    if policy.may(user, "notice_list"):
        failed = Mail.objects.filter(failed_open()).count()
        url = _url("notice_list", state=FAILED_OPEN)
        yield Waiting(Rank.MAILS, failed, "Mails that failed", "of open candidates", url)


def _url(name: str, **filters: str) -> str:
    return f"{reverse(name)}?{urlencode(filters)}"
