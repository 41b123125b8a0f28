"""Delete what is over and would only be of use to whoever steals the database.

1. Sessions that expired.
2. Authorizations that were used or have expired, a day after they began.
3. Counts of wrong passwords that no longer count.
4. Events and calls of webhooks that are half a year old.
5. Answers kept for an `Idempotency-Key`, after a day.
6. API tokens that expired or were revoked 90 days ago.
7. Requests for a new password, a day after they were made, and links to accounts in mails that were only kept.
8. What django-axes stored of sign-ins before the counts had a table of their own.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from axes.models import AccessAttempt, AccessLog
from django.contrib.sessions.models import Session
from django.db.models import Q

from profiles.models import OAuthState
from samsaas import guessing, outbox, second_factor, sessions
from samsaas.models import ApiCall, ApiToken, Mail, Notification, PasswordLink, PasswordResetRequest

KEEP_AUTHORIZATIONS = timedelta(days=1)
KEEP_EVENTS = timedelta(days=180)
KEEP_API_ANSWERS = timedelta(hours=24)
KEEP_ENDED_TOKENS = timedelta(days=90)
KEEP_RESET_REQUESTS = timedelta(days=1)
KEEP_OLD_SIGN_INS = timedelta(days=90)


def run(now: datetime) -> dict[str, int]:
    """How many rows were deleted, by kind."""
    over = Q(used_at__isnull=False) | Q(expires_at__lt=now)
    long_ago = now - KEEP_ENDED_TOKENS
    ended_tokens = ApiToken.objects.filter(Q(expires_at__lt=long_ago) | Q(revoked_at__lt=long_ago))
    old_sign_ins = Q(attempt_time__lt=now - KEEP_OLD_SIGN_INS)
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
        "events": Notification.objects.filter(at__lt=now - KEEP_EVENTS).delete()[0],
        "answers of the API": ApiCall.objects.filter(at__lt=now - KEEP_API_ANSWERS).delete()[0],
        "API tokens": ended_tokens.delete()[0],
        "old sign-ins": sum(model.objects.filter(old_sign_ins).delete()[0] for model in (AccessAttempt, AccessLog)),
    }
