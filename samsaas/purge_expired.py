"""Delete what is over and would only be of use to whoever steals the database.

1. Sessions that expired.
2. Authorizations that were used or have expired, a day after they began.
3. Counts of wrong passwords that no longer count.
4. Answers kept for an `Idempotency-Key`, after a day.
5. API tokens that expired or were revoked 90 days ago.
6. Requests for a new password, a day after they were made, and links to accounts in mails that were only kept.
7. Secrets that a refused form kept for some minutes.

What has a period of its own is deleted by `samsaas.retention`.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.sessions.models import Session
from django.db.models import Q

from profiles.models import OAuthState
from samsaas import guessing, keep_secrets, outbox, second_factor, sessions
from samsaas.models import ApiCall, ApiToken, Mail, PasswordLink, PasswordResetRequest

KEEP_AUTHORIZATIONS = timedelta(days=1)
KEEP_API_ANSWERS = timedelta(hours=24)
KEEP_ENDED_TOKENS = timedelta(days=90)
KEEP_RESET_REQUESTS = timedelta(days=1)


def run(now: datetime) -> dict[str, int]:
    """How many rows were deleted, by kind."""
    over = Q(used_at__isnull=False) | Q(expires_at__lt=now)
    long_ago = now - KEEP_ENDED_TOKENS
    ended_tokens = ApiToken.objects.filter(Q(expires_at__lt=long_ago) | Q(revoked_at__lt=long_ago))
    return {
        "sessions": Session.objects.filter(expire_date__lt=now).delete()[0],
        "owners of sessions": sessions.discard_ownerless(),
        "requests for a new password": PasswordResetRequest.objects.filter(
            asked_at__lt=now - KEEP_RESET_REQUESTS
        ).delete()[0],
        "links to accounts": outbox.drop_secrets(Mail.objects.filter(opens_account=True, give_up_at__lt=now)),
        "links to set a password": PasswordLink.objects.filter(expires_at__lt=now).delete()[0],
        "secrets of second factors": second_factor.discard_unused(now),
        "authorizations": OAuthState.objects.filter(over, created_at__lt=now - KEEP_AUTHORIZATIONS).delete()[0],
        "wrong passwords": guessing.discard_old(now),
        "answers of the API": ApiCall.objects.filter(at__lt=now - KEEP_API_ANSWERS).delete()[0],
        "API tokens": ended_tokens.delete()[0],
        "secrets of refused forms": keep_secrets.discard_old(now),
    }
