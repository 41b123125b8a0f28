"""Tell people what became of a candidate. Nothing is asked, and no mail here names a colleague or a price.

- Its user: whether they keep it as they wished, and that it was removed or restored. Who has left is not written to.
- Whoever asked for the removal: that it was rejected, or that nobody approved it in time.
- The administrators: that a removal was wrong and can still be undone. That mail waits for no morning.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from django.conf import settings
from django.contrib.auth.models import User

from profiles.sight.seen import blind_to
from reclamation import rules
from reclamation.asking import addressee, approvers, notices, seat_user, wording
from reclamation.asking.wording import Wording
from reclamation.models import Notice, RemovalAttempt, RemovalCandidate
from samsaas.lib import mail

Kind = Notice.Kind
MISTAKE = "If you think that this is a mistake, tell the people who manage the software licenses."
KEEPS = Wording(
    "You keep {product}",
    "Hello {name},\n\nyou keep your subscription of {product} at {organization}{until}. You need not do anything.",
)
NOT_KEPT = Wording(
    "{product} is taken back",
    "Hello {name},\n\nyou wanted to keep your subscription of {product} at {organization}. That was not approved, so "
    "it is taken back.\n\n" + MISTAKE,
)
REMOVED = Wording(
    "Your {product} was taken back",
    "Hello {name},\n\nyour subscription of {product} at {organization} was taken back. {undo}\n\n" + MISTAKE,
)
RESTORED = Wording(
    "Your {product} is back",
    "Hello {name},\n\nyour subscription of {product} at {organization} was restored, with its files.\n\n"
    "If you cannot sign in, tell the people who manage the software licenses.",
)
REJECTED = Wording(
    "Not removed: {product} of {name}",
    "Hello,\n\nyou asked for the removal of {product} of {name}. {why}\n\nIt is closed as skipped:\n\n{link}",
)
REGRETTED = Wording(
    "Removed although used: {product} of {name}",
    "Hello,\n\n{product} of {name} was removed, and only now the vendor reported that it had been used before, on "
    "{last_use}.\n\nIt can be restored until {until}. Press Restore here:\n\n{link}",
)
UNDOABLE = "It can be restored until {day}; after that its files go to an administrator."
NOT_UNDOABLE = "It cannot be restored."


def tell_kept(candidate: RemovalCandidate, *, until: date, now: datetime) -> Notice | None:
    """The user's wish to keep it was granted, by a person or by silence."""
    return _tell_user(candidate, Kind.INFORM, KEEPS, {"until": f" until {until:%-d %B %Y}"}, now)


def tell_not_kept(candidate: RemovalCandidate, now: datetime) -> Notice | None:
    """The user's wish to keep it was refused."""
    return _tell_user(candidate, Kind.INFORM, NOT_KEPT, {}, now)


def tell_removed(attempt: RemovalAttempt, now: datetime) -> Notice | None:
    """The account was removed. Told where the rule has its user asked."""
    if not rules.settings_of(attempt.candidate).notify_user:
        return None
    ends = [one for one in (attempt.restorable_until, attempt.move_after) if one] if attempt.restorable_until else []
    undo = UNDOABLE.format(day=wording.date_in_words(min(ends))) if ends else NOT_UNDOABLE
    return _tell_user(attempt.candidate, Kind.REMOVED, REMOVED, {"undo": undo}, now)


def tell_restored(attempt: RemovalAttempt, now: datetime) -> Notice | None:
    """The account was restored. Told to whom its removal was told."""
    if not attempt.candidate.notices.filter(kind=Kind.REMOVED).exists():
        return None
    return _tell_user(attempt.candidate, Kind.RESTORED, RESTORED, {}, now)


def tell_rejected(candidate: RemovalCandidate, why: str, now: datetime) -> list[Notice]:
    """The removal was not approved: told to whoever asked for it. `why` is a sentence."""
    values = {**wording.values_for(candidate), "why": why, "link": _page_of(candidate)}
    people = User.objects.filter(pk__in=approvers.requesters(candidate), is_active=True)
    return _tell_accounts(candidate, people, wording.fill(REJECTED, values), now)


def tell_regret(attempt: RemovalAttempt, *, used_at: datetime, now: datetime) -> list[Notice]:
    """Use from before the removal was learned after it: told to whoever asked for it and to the administrators."""
    candidate = attempt.candidate
    values = {
        **wording.values_for(candidate),
        "last_use": wording.date_in_words(used_at),
        "until": wording.date_in_words(attempt.restorable_until or now),
        "link": _page_of(candidate),
    }
    asked = User.objects.filter(pk__in=approvers.requesters(candidate), is_active=True)
    admins = approvers.members(approvers.sam_admins()).order_by("pk")[: approvers.MOST_MAILS]
    people = list({one.pk: one for one in (*asked, *admins)}.values())
    return _tell_accounts(candidate, people, wording.fill(REGRETTED, values), now, any_hour=True)


def _tell_user(
    candidate: RemovalCandidate, kind: str, words: Wording, more: dict[str, str], now: datetime
) -> Notice | None:
    address = addressee.address_of(candidate)
    if not address or seat_user.is_leaver(candidate, now):
        return None
    filled = wording.fill(words, {**wording.values_for(candidate), **more})
    return notices.inform(candidate, address, filled, now=now, kind=kind)


def _tell_accounts(
    candidate: RemovalCandidate, people: Iterable[User], words: Wording, now: datetime, *, any_hour: bool = False
) -> list[Notice]:
    """One mail for each address that can be written to. Who may not see the profile gets none."""
    blind = blind_to(candidate.profile_id)
    seeing = [one for one in people if one.email and one.pk not in blind]
    addresses = {one.email for one in seeing if not mail.address_problem(one.email)}
    return [notices.inform(candidate, one, words, now=now, any_hour=any_hour) for one in sorted(addresses)]


def _page_of(candidate: RemovalCandidate) -> str:
    return f"{settings.PUBLIC_URL}{candidate.get_absolute_url()}"
