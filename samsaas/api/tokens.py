"""API tokens: make one, revoke it, find the one of a call, and count its calls.

A token is `sam_` and 256 random bits. Only its SHA-256 is stored: a random text of this length cannot be guessed from
it, and looking it up takes one read of an index. Its calls are counted in its own row, a minute at a time, so that all
processes of the web server count together.
"""

from __future__ import annotations

import secrets
from datetime import date, datetime, time, timedelta
from hashlib import sha256

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from samsaas import audit
from samsaas.models import ApiToken

PREFIX = "sam_"
SHOWN = len(PREFIX) + 6
LONGEST = 200
LONGEST_LIFE = timedelta(days=365)
CALLS_PER_MINUTE = 600
WINDOW = 60  # seconds


def digest_of(text: str) -> str:
    """What is stored of a token."""
    return sha256(text.encode("utf-8", "replace")).hexdigest()


@transaction.atomic
def make(user: User, *, name: str, role: str, last_day: date, now: datetime) -> tuple[ApiToken, str]:
    """A new token, valid to the end of a local day, and its text, which nobody can read again."""
    text = PREFIX + secrets.token_urlsafe(32)
    ends = timezone.make_aware(datetime.combine(last_day + timedelta(days=1), time()))
    token = ApiToken.objects.create(
        user=user, name=name, digest=digest_of(text), prefix=text[:SHOWN], role=role, created_at=now, expires_at=ends
    )
    audit.record(user, "created API token", token, role=role, last_day=last_day.isoformat())
    return token, text


@transaction.atomic
def revoke(token: ApiToken, *, by: User, now: datetime) -> bool:
    """End a token at once. False: it was revoked before."""
    if not ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now):
        return False
    audit.record(by, "revoked API token", token, owner=token.user.get_username())
    return True


def find(text: str, *, now: datetime) -> ApiToken | None:
    """The valid token of an active account with this text."""
    if not text.startswith(PREFIX) or len(text) > LONGEST:
        return None
    found = ApiToken.objects.select_related("user").filter(digest=digest_of(text)).first()
    return found if found and found.is_valid(now) and found.user.is_active else None


def count_call(token: ApiToken, address: str, *, now: datetime) -> int:
    """Count a call and note when and from where it came. Returns the seconds to wait where there were too many."""
    minute = int(now.timestamp()) // WINDOW
    row, used = ApiToken.objects.filter(pk=token.pk), {"last_used_at": now, "last_used_from": address[:45]}
    for _ in range(2):  # another call may begin the same minute between the two updates
        if row.filter(window=minute, calls__lt=CALLS_PER_MINUTE).update(calls=F("calls") + 1, **used):
            return 0
        if row.exclude(window=minute).update(window=minute, calls=1, **used):
            return 0
    return WINDOW - int(now.timestamp()) % WINDOW
