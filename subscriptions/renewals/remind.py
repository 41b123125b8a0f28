"""Remind people while the vendor still takes a reduction: 60, 30, 14, 7 and 1 days before, once each.

1. Withdraw reminders that are still queued although the reduction was asked for, or the renewal was recorded.
2. Find the renewals whose next reminder has come. A day that was missed is made up for by one mail, not by several.
3. Queue a mail to the owner, else to whoever published the entitlement, else to the sam_admins, and note that it was.

Nobody with an address: that is noted too. The page of renewals and the start page say the same without any mail.
Without a mail server nobody needs an address, since mails are only kept in the outbox.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from samsaas import audit, outbox, policy, roles
from samsaas.lib import mail as letters
from samsaas.models import Mail
from subscriptions.entitlements.renewals import Renewal, reduce_by
from subscriptions.entitlements.terms import Book
from subscriptions.models import Entitlement, RenewalReminder
from subscriptions.renewals import recommend, reminder_text

DAYS_BEFORE = (60, 30, 14, 7, 1)
MOST_MAILS = 20
PAGE = "renewal_detail"


def run(now: datetime) -> int:
    """One round. Returns how many renewals were reminded of."""
    today = timezone.localtime(now).date()
    withdraw_needless()
    book = recommend.read_book()
    due = {one.pk for one in _find_due(book, today)}
    if not due:
        return 0
    advised = recommend.list_renewals(today, horizon=DAYS_BEFORE[0], book=book)
    return sum(_remind(one, now) for one in advised if one.entitlement.pk in due)


def withdraw_needless() -> int:
    """Do not send what is queued of renewals that need no reminder any more. Returns how many mails."""
    queued = RenewalReminder.objects.filter(mail__state=Mail.State.QUEUED).select_related("entitlement")
    if not (waiting := list(queued)):
        return 0
    book = Book.read(software_model__in={one.entitlement.software_model_id for one in waiting})
    needless = [one.mail_id or 0 for one in waiting if not _needs_reminder(book, one.entitlement, one.reduce_by)]
    return outbox.withdraw(Mail.objects.filter(pk__in=needless))


def _needs_reminder(book: Book, one: Entitlement, day: date) -> bool:
    is_decided = one.reduction_asked_on is not None or one.state != Entitlement.State.IN_USE
    return not is_decided and one.end is not None and reduce_by(one) == day and book.renewal(one) is None


def next_step(days_left: int) -> int | None:
    """Which reminder is due with so many days left: the latest that has come. None: none has, or it is too late."""
    if days_left < 0:
        return None
    return min((days for days in DAYS_BEFORE if days >= days_left), default=None)


def _find_due(book: Book, today: date) -> list[Entitlement]:
    """Entitlements in force whose present reminder was not sent yet. One query besides the entitlements."""
    steps = {}
    for one in book.in_force(today):
        if one.end is None or one.reduction_asked_on is not None or book.renewal(one) is not None:
            continue
        if one.end < today + timedelta(days=2 * recommend.LONGEST_NOTICE) and (
            step := next_step((reduce_by(one) - today).days)
        ):
            steps[one.pk] = (one, step)
    sent = set(
        RenewalReminder.objects.filter(entitlement__in=steps).values_list("entitlement", "reduce_by", "days_before")
    )
    return [one for one, step in steps.values() if (one.pk, reduce_by(one), step) not in sent]


@transaction.atomic
def _remind(renewal: Renewal, now: datetime) -> bool:
    """Queue its mails and note them, unless another worker did so or somebody decided at this moment."""
    step = next_step(renewal.days_left)
    if step is None:
        return False
    one = Entitlement.objects.select_for_update().get(pk=renewal.entitlement.pk)
    noted = RenewalReminder.objects.filter(entitlement=one, reduce_by=renewal.reduce_by, days_before=step)
    if noted.exists() or one.reduction_asked_on is not None or one.end != renewal.entitlement.end:
        return False
    people = _list_recipients(one)
    address = f"{settings.PUBLIC_URL}{reverse(PAGE, args=[one.pk])}"
    subject, body = reminder_text.write_reminder(renewal, address)
    ends = timezone.make_aware(datetime.combine(renewal.reduce_by + timedelta(days=1), time.min))
    row = {"entitlement": one, "reduce_by": renewal.reduce_by, "days_before": step, "at": now}
    for user in people:
        mail = outbox.queue(to=user.email or user.get_username(), subject=subject, body=body, give_up_at=ends, now=now)
        RenewalReminder.objects.create(account=user, mail=mail, **row)
    if not people:
        RenewalReminder.objects.create(**row)
    told = [user.get_username() for user in people]
    audit.record(None, "reminded of renewal", one, days_before=step, reduce_by=renewal.reduce_by.isoformat(), to=told)
    return True


def _list_recipients(one: Entitlement) -> list[User]:
    """The owner, else whoever published it, else the sam_admins: accounts that may see the page and have an address."""
    for user in (one.owner, one.published_by):
        if reachable := _reachable([user] if user else []):
            return reachable
    return _reachable(roles.accounts_with(roles.SAM_ADMIN).order_by("pk")[:MOST_MAILS])


def _reachable(users: Iterable[User]) -> list[User]:
    return [user for user in users if user.is_active and _has_address(user) and policy.may(user, PAGE)]


def _has_address(user: User) -> bool:
    if not outbox.has_server():
        return True
    return bool(user.email) and not letters.address_problem(user.email)
