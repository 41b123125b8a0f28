"""What of reclamation waits for a person: for the start page, each figure with the rows behind it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from reclamation.asking import approvers
from reclamation.asking.filters import FAILED_OPEN, MINE, failed_open
from reclamation.models import Approval, RemovalAttempt, RemovalBatch, RemovalCandidate
from reclamation.removal import regret
from reclamation.removal.filters import REGRETTED
from reclamation.states import State
from samsaas import roles
from samsaas.models import Mail
from subscriptions.links import LEFT_ADMIN
from subscriptions.models import Subscription


@dataclass(frozen=True)
class Waiting:
    """One kind of thing that waits: how many, what they are, and the list of them."""

    count: int
    label: str
    note: str
    url: str
    tone: str = "warn"


def list_for(user: User) -> list[Waiting]:
    """What waits for somebody with the roles of this account, most urgent first. Kinds without any are left out."""
    return [one for one in _all_for(user) if one.count]


def _all_for(user: User) -> Iterator[Waiting]:
    if roles.may(user, "attempt_list"):
        alarms = regret.open_alarms().count()
        yield Waiting(alarms, "Removed although used", "restore them", _url("attempt_list", state=REGRETTED), "bad")
        needing = RemovalAttempt.objects.filter(state=RemovalAttempt.State.NEEDS_HUMAN, dry_run=False).count()
        state = RemovalAttempt.State.NEEDS_HUMAN.value
        yield Waiting(needing, "Removals that need a person", "decide", _url("attempt_list", state=state), "bad")
    yield Waiting(
        Approval.objects.filter(approvers.asked_of(user), at=None).count(),
        "Questions to you",
        "approve or reject",
        _url("approval_list", show=MINE),
    )
    if roles.may(user, "batch_list"):
        stopped = RemovalBatch.State.QUARANTINED
        batches = RemovalBatch.objects.filter(state=stopped).count()
        yield Waiting(batches, "Batches", "wait for a second person", _url("batch_list", state=stopped.value))
    if roles.may(user, "candidate_list"):
        weighed = RemovalCandidate.objects.open().filter(state=State.ATTENTION_REQUIRED).count()
        url = _url("candidate_list", state=State.ATTENTION_REQUIRED.value)
        yield Waiting(weighed, "Candidates", "need attention", url)
        left = Subscription.objects.current().of_leavers(timezone.localdate()).filter(is_admin=True).count()
        yield Waiting(left, "Administrators who left", "never proposed", _url("subscription_list", user=LEFT_ADMIN))
    if roles.may(user, "notice_list"):
        failed = Mail.objects.filter(failed_open()).count()
        yield Waiting(failed, "Mails that failed", "of open candidates", _url("notice_list", state=FAILED_OPEN))


def _url(name: str, **filters: str) -> str:
    return f"{reverse(name)}?{urlencode(filters)}"
