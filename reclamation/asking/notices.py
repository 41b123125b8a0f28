"""Queue a mail about a candidate, with or without a link of its own."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256
from secrets import token_urlsafe

from django.conf import settings
from django.db.models import Q
from django.urls import reverse

from reclamation.asking.wording import Wording
from reclamation.models import Notice, RemovalCandidate
from samsaas import outbox
from samsaas.models import Mail

TOKEN_BYTES = 32
TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
KEEP_PAGE, APPROVAL_PAGE = "keep", "approval_link"
ASKING = (Notice.Kind.ASK, Notice.Kind.REMINDER)
INFORMS_FOR = timedelta(days=7)


def ask(candidate: RemovalCandidate, to: str, words: Wording, *, days: int, now: datetime) -> Notice:
    """Queue the question. The days to answer begin when it is sent; not sent in as many days, it has failed.

    These begin when it may first be sent: over a weekend it has not failed.
    """
    give_up = outbox.first_moment(now) + timedelta(days=days)
    return _queue(candidate, Notice.Kind.ASK, to, words, page=KEEP_PAGE, give_up_at=give_up, now=now, answer_days=days)


def remind(candidate: RemovalCandidate, to: str, words: Wording, *, deadline: datetime, now: datetime) -> Notice:
    """Queue a reminder, with a link of its own that ends with the question's."""
    kind = Notice.Kind.REMINDER
    return _queue(candidate, kind, to, words, page=KEEP_PAGE, give_up_at=deadline, expires_at=deadline, now=now)


def ask_approval(candidate: RemovalCandidate, to: str, words: Wording, *, due: datetime, now: datetime) -> Notice:
    """Queue a request to an approver. Its link leads to the approval, for whoever signs in and may decide it."""
    return _queue(candidate, Notice.Kind.APPROVAL, to, words, page=APPROVAL_PAGE, give_up_at=due, now=now)


def inform(
    candidate: RemovalCandidate,
    to: str,
    words: Wording,
    *,
    now: datetime,
    kind: str = Notice.Kind.INFORM,
    any_hour: bool = False,
) -> Notice:
    """Queue a mail that asks nothing. `any_hour`: it does not wait for a working day."""
    give_up = outbox.first_moment(now, any_hour=any_hour) + INFORMS_FOR
    return _queue(candidate, kind, to, words, page="", give_up_at=give_up, now=now, any_hour=any_hour)


def _queue(
    candidate: RemovalCandidate,
    kind: str,
    to: str,
    words: Wording,
    *,
    page: str,
    give_up_at: datetime,
    now: datetime,
    expires_at: datetime | None = None,
    answer_days: int | None = None,
    any_hour: bool = False,
) -> Notice:
    token = token_urlsafe(TOKEN_BYTES) if page else ""
    secret = f"{settings.PUBLIC_URL}{reverse(page, args=[token])}" if page else ""
    sent = outbox.queue(
        to=to,
        subject=words.subject,
        body=words.text,
        secret=secret,
        give_up_at=give_up_at,
        any_hour=any_hour,
        now=now,
    )
    return Notice.objects.create(
        candidate=candidate,
        kind=kind,
        mail=sent,
        token_hash=hash_of(token) if token else None,
        expires_at=expires_at,
        answer_days=answer_days,
    )


def find(token: str, kinds: Iterable[str]) -> Notice | None:
    """The notice with this link, if it is of one of these kinds. A link is found by its hash alone."""
    if not TOKEN.fullmatch(token):
        return None
    related = ("candidate__rule", "candidate__profile", "candidate__subscription__match__person", "mail")
    return Notice.objects.select_related(*related).filter(token_hash=hash_of(token), kind__in=kinds).first()


def hash_of(token: str) -> str:
    return sha256(token.encode()).hexdigest()


def end_links(candidate: RemovalCandidate) -> None:
    """Before it is asked anew: links of an earlier question lead nowhere, and what is still queued is not sent."""
    earlier = candidate.notices.filter(kind__in=ASKING)
    outbox.withdraw(Mail.objects.filter(notice__in=earlier))
    earlier.update(token_hash=None)


def asking() -> Q:
    """For notices: question and reminders of their candidate's present question, without those of earlier ones."""
    return Q(kind__in=ASKING, token_hash__isnull=False)


def reached() -> Q:
    """For notices: the mail has been sent. One that was only kept has reached nobody, unless no vendor is real.

    A mail whose link was used has arrived, also where the worker died before it could note that.
    """
    sent = Q(mail__state=Mail.State.SENT) & (Q() if settings.KEPT_MAILS_COUNT else Q(mail__kept=False))
    return sent | Q(used_at__isnull=False)
