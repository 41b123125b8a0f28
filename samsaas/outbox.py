"""The only queue of mails: everything that is sent waits here first, and stays here to be read.

1. `queue` stores a mail in the transaction of what it is about. It is sent in office hours, unless it says otherwise.
2. `send_due`, a task of the beat, gives up what is too late, and takes each mail that is due with a lease, so that two
   workers send it once. It is sent outside of any transaction: a silent mail server keeps no other writer waiting.
3. The answer is stored: sent, or tried again after a growing pause, or failed with the server's own words.

Where no mail server is named, mails are only *kept*: they are sent as far as this table goes, and no further.

If a worker dies between the server's answer and its own note of it, the mail is sent again. It has the same Message-ID
then, and `sent_at` is that of the later one, so nobody has less time than the mail says.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from time import monotonic
from urllib.parse import urlsplit
from uuid import uuid4

from django.conf import settings
from django.db.models import Q, QuerySet
from django.db.models.functions import Length, Now
from django.utils import timezone

from samsaas.lib import mail as letters, office_hours
from samsaas.lib.encryption import UndecryptableValue
from samsaas.lib.mail import Letter, MailDeferred, MailRefused, Postman, ServerUnusable
from samsaas.models import Mail

LINK = Mail.LINK
LEASE = timedelta(minutes=10)
AT_ONCE = 200
SECONDS_AT_ONCE = 45.0  # the next tick goes on
LOST_IN_A_ROW = 3
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=2)
DAY_AFTER = re.compile(r"\[day \+(\d{1,3})\]")
TOO_LATE = "It could not be sent in time."
UNREADABLE = "Its link cannot be decrypted with the keys of this installation (FIELD_ENCRYPTION_KEYS)."
log = logging.getLogger(__name__)


def queue(
    *,
    to: str,
    subject: str,
    body: str,
    secret: str = "",
    give_up_at: datetime,
    any_hour: bool = False,
    opens_account: bool = False,
    one_click: bool = False,
    attachment_name: str = "",
    attachment: str = "",
    now: datetime,
) -> Mail:
    """Store a mail to be sent. `body` has `LINK` where `secret`, the whole link, stands in what is sent.

    `opens_account`: whoever has the link gets an account, so only administrators see it where the mail is kept.
    `one_click`: the link stops such mails, and goes into a header as well, where mail programs find it.
    Subject and body may name a day that is counted from the sending: see `day_after`. A character that no mail can have
    is replaced, and never left out, because an address without it may be somebody else's.
    """
    return Mail.objects.create(
        to=_cut(to.replace("\x00", "\ufffd"), 320),
        subject=_cut(letters.one_line(subject), 255),
        body=_plain(body),
        secret=secret,
        queued_at=now,
        not_before=first_moment(now, any_hour=any_hour),
        give_up_at=give_up_at,
        any_hour=any_hour,
        opens_account=opens_account,
        one_click=one_click,
        attachment_name=attachment_name,
        attachment=attachment,
    )


def day_after(days: int) -> str:
    """Stands in a subject or body for the date so many days after the day on which the mail is sent."""
    return f"[day +{days}]"


def first_moment(now: datetime, *, any_hour: bool = False) -> datetime:
    """When a mail that is queued now can be sent at the earliest."""
    return now if any_hour or settings.MAIL_ANY_HOUR else office_hours.next_open(now, settings.RECLAMATION_QUIET_DAYS)


def has_server() -> bool:
    """Whether mails are sent through a mail server. Otherwise they are only kept."""
    return bool(settings.EMAIL_HOST)


def withdraw(mails: QuerySet[Mail]) -> int:
    """Do not send what is still queued. Returns how many. One that is being sent at this moment is not stopped."""
    return int(mails.filter(_free(), state=Mail.State.QUEUED).update(state=Mail.State.WITHDRAWN, secret=""))


def drop_secrets(mails: QuerySet[Mail]) -> int:
    """Forget the links of mails that are not queued any more. Returns how many had one."""
    return int(mails.exclude(state=Mail.State.QUEUED).alias(held=Length("secret")).filter(held__gt=0).update(secret=""))


def resend(mail: Mail, *, give_up_at: datetime, now: datetime) -> bool:
    """Queue a failed mail again. False if it is not failed any more."""
    failed = Mail.objects.filter(pk=mail.pk, state=Mail.State.FAILED)
    when = {"queued_at": now, "give_up_at": give_up_at, "not_before": first_moment(now, any_hour=mail.any_hour)}
    return bool(failed.update(state=Mail.State.QUEUED, tries=0, error="", **when))


def report_bounce(mail: Mail, *, by: str) -> bool:
    """Note that a mail that was sent came back. False if it is not a sent one."""
    sent = Mail.objects.filter(pk=mail.pk, state=Mail.State.SENT)
    return bool(sent.update(state=Mail.State.FAILED, error=f"It came back, {by} says."[:500]))


def send_due(now: datetime) -> dict[str, int]:
    """Send what is due, as long as one tick may take. Returns how many were sent, kept, deferred, failed, given up."""
    counts: Counter[str] = Counter(given_up=_give_up(now))
    began, lost = monotonic(), 0
    with Postman() as postman:
        for pk in _due(now):
            if monotonic() - began > SECONDS_AT_ONCE or lost >= LOST_IN_A_ROW:
                break
            outcome = _send_one(pk, postman, now)
            counts[outcome] += 1
            if outcome == "unusable":
                break
            lost = lost + 1 if outcome == "deferred" else 0
    return dict(counts)


def _give_up(now: datetime) -> int:
    """Fail what could not be sent in time. What the server said last is kept."""
    late = Mail.objects.filter(_free(), state=Mail.State.QUEUED, give_up_at__lte=now)
    given_up = late.filter(error="").update(state=Mail.State.FAILED, error=TOO_LATE)
    return int(given_up + late.update(state=Mail.State.FAILED))


def _due(now: datetime) -> Sequence[int]:
    mails = Mail.objects.filter(_free(), state=Mail.State.QUEUED, not_before__lte=now, give_up_at__gt=now)
    if not (settings.MAIL_ANY_HOUR or office_hours.is_open(now, settings.RECLAMATION_QUIET_DAYS)):
        mails = mails.filter(any_hour=True)
    return list(mails.order_by("queued_at", "pk").values_list("pk", flat=True)[:AT_ONCE])


def _free() -> Q:
    """Nobody is sending it. By the database's clock, which all workers share."""
    return Q(lease_until=None) | Q(lease_until__lt=Now())


def _send_one(pk: int, postman: Postman, now: datetime) -> str:
    """Take one mail, send it, and store how that ended, in one word."""
    owner = str(uuid4())
    taken = Mail.objects.filter(_free(), pk=pk, state=Mail.State.QUEUED)
    if not taken.update(owner=owner, lease_until=Now() + LEASE):
        return "taken"
    mail = Mail.objects.get(pk=pk)
    try:
        if has_server():
            postman.deliver(letters.compose(_letter(mail, now), settings.DEFAULT_FROM_EMAIL))
    except UndecryptableValue:
        return _settle(mail, owner, "failed", state=Mail.State.FAILED, error=UNREADABLE)
    except MailRefused as refusal:
        return _settle(mail, owner, "failed", state=Mail.State.FAILED, error=str(refusal))
    except MailDeferred as delay:
        later = first_moment(now + _pause(mail.tries), any_hour=mail.any_hour)
        outcome = "unusable" if isinstance(delay, ServerUnusable) else "deferred"
        return _settle(mail, owner, outcome, not_before=later, error=str(delay))
    return _settle_sent(mail, owner, now)


def _settle_sent(mail: Mail, owner: str, now: datetime) -> str:
    """A mail that left forgets its link. One that is kept has it until somebody drops it."""
    sent = {
        "state": Mail.State.SENT,
        "sent_at": now,
        "error": "",
        "subject": _cut(_with_days(mail.subject, now), 255),
        "body": _with_days(mail.body, now),
        "kept": not has_server(),
    }
    return _settle(mail, owner, "sent", **sent, **({"secret": ""} if has_server() else {}))


def _settle(mail: Mail, owner: str, outcome: str, **changes: object) -> str:
    """Store how it ended, unless another worker has taken it meanwhile because this one was silent for too long."""
    own = Mail.objects.filter(pk=mail.pk, owner=owner, state=Mail.State.QUEUED)
    if not own.update(tries=mail.tries + 1, owner="", lease_until=None, **changes):
        log.warning("Mail %s was given to another worker while this one was sending it.", mail.pk)
        return "taken"
    if outcome != "sent":
        log.info("Mail %s: %s (%s)", mail.pk, outcome, changes.get("error"))
    return outcome


def _letter(mail: Mail, now: datetime) -> Letter:
    return Letter(
        to=mail.to,
        subject=_with_days(mail.subject, now),
        text=_with_days(mail.body, now),
        mark=LINK,
        link=mail.secret,
        one_click=mail.one_click,
        key=f"samsaas-{urlsplit(settings.PUBLIC_URL).hostname}-{mail.pk}-{int(mail.queued_at.timestamp())}",
        at=now,
        file_name=mail.attachment_name,
        file=mail.attachment,
    )


def _with_days(text: str, now: datetime) -> str:
    """The text with the dates that are counted from the sending."""
    today = timezone.localtime(now).date()
    return DAY_AFTER.sub(lambda found: f"{today + timedelta(days=int(found[1])):%-d %B %Y}", text)


def _pause(tries: int) -> timedelta:
    """1 minute after the first try, then twice as long each time."""
    return min(FIRST_PAUSE * 2 ** min(tries, 20), LONGEST_PAUSE)


def _plain(body: str) -> str:
    lines = body.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(letters.CONTROLS.sub(" ", line) for line in lines)


def _cut(text: str, most: int) -> str:
    """The text, or as much as fits and a mark. An address that is too long is none then, instead of somebody else's."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
