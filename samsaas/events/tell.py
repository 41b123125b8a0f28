"""Tell people and webhooks of new events.

1. Take the events that nobody was told of. Of two workers at the same moment one takes them, and the other nothing.
2. Queue one mail for each person, with all events that they want to know at once and whose pages they may open. Who is
   limited to some profiles is told only of what is about one of these.
3. Queue a call for each webhook that is told of the kind.
4. Once a day, from the morning on, queue one mail for each person with what they want to know once a day.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import uuid4

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from profiles.sight.seen import remember_sights
from samsaas import outbox, roles
from samsaas.events import stop_mails
from samsaas.events.kinds import AT_ONCE, DAILY, EVERY, KINDS
from samsaas.lib import mail as letters
from samsaas.lib.sight import sight_of
from samsaas.models import Notification, NotificationChoices, Webhook, WebhookCall

MOST_EVENTS = 200
MOST_LINES = 20
MORNING = 7
TRY_FOR = timedelta(days=2)


def run(now: datetime) -> int:
    """Tell of everything new, and of the day if it is time. Returns how many mails were queued."""
    return _tell_new(now) + _tell_of_the_day(now)


@transaction.atomic
def _tell_new(now: datetime) -> int:
    events = list(Notification.objects.filter(told=False).order_by("pk")[:MOST_EVENTS])
    if not events:
        return 0
    taken = Notification.objects.filter(pk__in=[one.pk for one in events], told=False).update(told=True)
    if taken != len(events):  # another worker has them
        transaction.set_rollback(True)
        return 0
    _queue_calls(events, now)
    return sum(_mail(user, choices, _wanted(user, choices, events, AT_ONCE), "", now) for user, choices in _readers())


def _tell_of_the_day(now: datetime) -> int:
    local = timezone.localtime(now)
    if local.hour < MORNING or not (
        newest := Notification.objects.order_by("-pk").values_list("pk", flat=True).first()
    ):
        return 0
    due = [(user, choices) for user, choices in _readers() if choices.daily_on != local.date()]
    return sum(_tell_one_of_the_day(user, choices, newest, now) for user, choices in due)


@transaction.atomic
def _tell_one_of_the_day(user: User, choices: NotificationChoices, newest: int, now: datetime) -> int:
    today = timezone.localdate(now)
    if choices.pk is None:
        choices.save()
    mine = NotificationChoices.objects.filter(pk=choices.pk).exclude(daily_on=today)
    if not mine.update(daily_on=today, daily_until=newest):
        return 0
    since = {"pk__gt": choices.daily_until} if choices.daily_until else {"at__gte": now - timedelta(days=1)}
    events = list(Notification.objects.filter(pk__lte=newest, **since).order_by("pk")[: MOST_EVENTS * 5])
    return _mail(user, choices, _wanted(user, choices, events, DAILY), "Today: ", now)


def _readers() -> list[tuple[User, NotificationChoices]]:
    """Every account that can get mails, with what it chose and which profiles it may see. Three queries."""
    users = [user for user in roles.accounts_with(roles.SAM_USER).order_by("pk") if not _cannot_get_mail(user)]
    remember_sights(users)
    chosen = {one.user_id: one for one in NotificationChoices.objects.filter(user__in=users)}
    return [(user, chosen.get(user.pk) or NotificationChoices(user=user)) for user in users]


def _cannot_get_mail(user: User) -> bool:
    return not user.email or bool(letters.address_problem(user.email))


def _wanted(user: User, choices: NotificationChoices, events: Sequence[Notification], when: str) -> list[Notification]:
    kinds = {kind.key for kind in KINDS.values() if kind.is_for(user) and chosen(user, choices, kind.key) == when}
    sight = sight_of(user)
    return [one for one in events if one.kind in kinds and (sight is None or one.profile_key in sight)]


def chosen(user: User, choices: NotificationChoices, kind: str) -> str:
    """Whether this account is told of the kind at once, once a day, or not by mail."""
    return str(choices.by_kind.get(kind) or choices.by_kind.get(EVERY) or KINDS[kind].usual_mail(user))


def _mail(user: User, choices: NotificationChoices, events: Sequence[Notification], before: str, now: datetime) -> int:
    if not events:
        return 0
    more = len(events) - 1
    subject = f"{before}{events[0].title}" + (f", and {more} more" if more else "")
    outbox.queue(
        to=user.email,
        subject=subject,
        body=write_body(events),
        secret=stop_mails.write_url(user),
        one_click=True,
        give_up_at=now + TRY_FOR,
        any_hour=choices.any_hour,
        now=now,
    )
    return 1


def write_body(events: Sequence[Notification]) -> str:
    """The text of a mail about events: each with what it means, and the address of its page."""
    blocks = [
        "\n".join(part for part in (one.title, one.text, f"{settings.PUBLIC_URL}{one.path}") if part)
        for one in events[:MOST_LINES]
    ]
    if len(events) > MOST_LINES:
        blocks.append(f"And {len(events) - MOST_LINES} more: {settings.PUBLIC_URL}/notifications/")
    blocks.append(f"What you get by mail: {settings.PUBLIC_URL}/notifications/settings/")
    blocks.append(f"No more of these mails: {outbox.LINK}")
    return "\n\n".join(blocks)


def _queue_calls(events: Sequence[Notification], now: datetime) -> None:
    hooks = list(Webhook.objects.filter(active=True))
    WebhookCall.objects.bulk_create(
        WebhookCall(webhook=hook, event=one, number=str(uuid4()), queued_at=now, not_before=now)
        for hook in hooks
        for one in events
        if one.kind in hook.kinds
    )
