"""Secrets typed into a form that was refused for another field: kept for a few minutes, and never sent back.

1. `keep` stores the secrets of a refused form encrypted, under a token, and empties their fields. The page gets the
   token.
2. `read_form` gives what was posted. Where the form names a token and a secret field is empty, it fills in what is
   kept, if account, session and address are the same and the time is not over. Otherwise `SecretsForm` says what to
   type again.
3. `forget` deletes them when the form was saved. What is left is deleted by the purge.

A session has one set of them for each form, so nobody fills the table.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict

from samsaas import sessions
from samsaas.lib.encryption import UndecryptableValue
from samsaas.lib.http import SignedInRequest
from samsaas.lib.secrets_form import KEPT, SecretsForm
from samsaas.models import KeptSecret

KEEP_FOR = timedelta(minutes=10)
LONGEST_ADDRESS = 200


def read_form(request: SignedInRequest, *, now: datetime) -> QueryDict | None:
    """What was posted, with the kept secrets in the fields that were left empty. None if nothing was posted."""
    if not request.POST:
        return None
    posted = request.POST.copy()
    for name, secret in _find(request, posted, now).items():
        if not posted.get(name):
            posted[name] = secret
    return posted


def keep(request: SignedInRequest, form: SecretsForm, *, now: datetime) -> None:
    """Keep the secrets of a refused form, instead of what this form kept before."""
    if not (form.is_bound and form.errors):
        return
    forget(request)
    typed = form.secrets_to_keep()
    if not typed:
        return
    token = secrets.token_urlsafe(32)
    KeptSecret(token=token, secrets=json.dumps(typed), until=now + KEEP_FOR, **_place(request)).save()
    form.say_kept(token, list(typed), minutes=int(KEEP_FOR.total_seconds() // 60))


def forget(request: SignedInRequest) -> None:
    """Delete what this form has kept in this session."""
    KeptSecret.objects.filter(**_place(request)).delete()


def discard_old(now: datetime) -> int:
    """Delete what is kept no longer. Returns how many."""
    return KeptSecret.objects.filter(until__lt=now).delete()[0]


def _find(request: SignedInRequest, posted: Mapping[str, str], now: datetime) -> dict[str, str]:
    token = posted.get(KEPT, "").partition(" ")[0]
    rows: QuerySet[Any] = KeptSecret.objects.filter(token=token, until__gte=now, **_place(request))
    one = rows.first() if token else None
    try:
        return json.loads(one.secrets) if one else {}
    except UndecryptableValue:
        return {}


def _place(request: SignedInRequest) -> dict[str, Any]:
    """For whom and where a secret is kept."""
    key = sessions.stored_key(request.session.session_key or "")
    return {"account": request.user, "session": key, "form": request.path[:LONGEST_ADDRESS]}
