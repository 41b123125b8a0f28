"""Call the webhooks that are due.

1. Take each call that is due with a lease, so that two workers send it once. It is sent outside of any transaction.
2. A 2xx answer ends it. Anything else is tried again after a growing pause: 1 minute to 24 hours, eight times in all.
3. A call that failed for good switches its webhook off; home, the list and a mail to administrators say so.

The receiver may get a call twice, if a worker dies between the answer and its note of it. It has the same number then.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from time import monotonic
from uuid import uuid4

from django.db.models import Q
from django.db.models.functions import Now

from samsaas import audit
from samsaas.events import hook_body, post
from samsaas.events.post import HookAnswer
from samsaas.lib.encryption import UndecryptableValue
from samsaas.models import Webhook, WebhookCall

PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240, 720, 1440))
MOST_TRIES = len(PAUSES) + 1
LEASE = timedelta(minutes=2)
AT_ONCE, SECONDS_AT_ONCE = 100, 40.0
UNREADABLE = "Its address cannot be decrypted with the keys of this installation (FIELD_ENCRYPTION_KEYS)."
State = WebhookCall.State
log = logging.getLogger(__name__)


def run(now: datetime) -> dict[str, int]:
    """Make the calls that are due, as long as one tick may take. How many ended how."""
    counts: dict[str, int] = {}
    began = monotonic()
    free = Q(lease_until=None) | Q(lease_until__lt=Now())
    due = WebhookCall.objects.filter(free, state=State.QUEUED, not_before__lte=now, webhook__active=True)
    for pk in list(due.order_by("not_before", "pk").values_list("pk", flat=True)[:AT_ONCE]):
        if monotonic() - began > SECONDS_AT_ONCE:
            break
        outcome = make(pk, now)
        counts[outcome] = counts.get(outcome, 0) + 1
    return counts


def make(pk: int, now: datetime) -> str:
    """Make one call, and store what was answered. How it ended, in one word."""
    owner, free = str(uuid4()), Q(lease_until=None) | Q(lease_until__lt=Now())
    mine = WebhookCall.objects.filter(free, pk=pk, state=State.QUEUED)
    if not mine.update(owner=owner, lease_until=Now() + LEASE):
        return "taken"
    call = WebhookCall.objects.select_related("webhook", "event").get(pk=pk)
    return _settle(call, owner, _send(call, now), now)


def _send(call: WebhookCall, now: datetime) -> HookAnswer:
    try:
        body, headers = hook_body.write(call, now)
        return post.post(call.webhook.url, body, headers)
    except UndecryptableValue:
        return HookAnswer(None, UNREADABLE)


def _settle(call: WebhookCall, owner: str, answer: HookAnswer, now: datetime) -> str:
    tries = call.tries + 1
    said = {"tries": tries, "status": answer.status, "answer": answer.words[:300], "owner": "", "lease_until": None}
    own = WebhookCall.objects.filter(pk=call.pk, owner=owner, state=State.QUEUED)
    if answer.is_taken:
        own.update(state=State.ARRIVED, ended_at=now, **said)
        return "arrived"
    if tries < MOST_TRIES and call.event_id is not None:
        own.update(not_before=now + PAUSES[tries - 1], **said)
        return "deferred"
    if own.update(state=State.FAILED, ended_at=now, **said) and call.event_id is not None:
        _stop(call.webhook, now)
    return "failed"


def _stop(hook: Webhook, now: datetime) -> None:
    if Webhook.objects.filter(pk=hook.pk, active=True).update(active=False, stopped_at=now):
        log.warning("Webhook %s was switched off: a call failed %s times.", hook.pk, MOST_TRIES)
        audit.record(None, "switched off webhook", hook, why="Nothing arrived there any more.")
