"""Record in the audit trail who signs in and out, and how often a sign-in failed.

Django's own signals tell it, so every door counts: the sign-in page, Core UI's, and whatever is added.
1. A sign-in and a sign-out are one entry each.
2. Failures are counted per account and hour. The 1st, 5th, 25th and so on leave an entry with the count, so guessing
   cannot fill a table from which nothing is deleted.
3. A wrong code of a second factor counts as a failure, and factors that come and go are an entry each.
4. A typed name that no account has is not stored: it may be a password. Such failures are counted together.
5. So are answers of identity providers that were not accepted, because anybody can send one.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from allauth.mfa.signals import authentication_failed, authenticator_added, authenticator_removed, authenticator_reset
from axes.helpers import get_client_ip_address
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from samsaas import audit
from samsaas.models import FailedSignIns

FACTOR_VERBS = (
    (authenticator_added, "added second factor"),
    (authenticator_removed, "removed second factor"),
    (authenticator_reset, "renewed recovery codes"),
)
NOBODY, SINGLE_SIGN_ON = 0, -1  # stand for an account where there is none
COUNTED_FOR = timedelta(hours=1)
STEP = 5


def connect() -> None:
    """Listen to Django's signals."""
    user_logged_in.connect(record_sign_in, dispatch_uid="samsaas sign-in")
    user_logged_out.connect(record_sign_out, dispatch_uid="samsaas sign-out")
    user_login_failed.connect(record_failure, dispatch_uid="samsaas failed sign-in")
    authentication_failed.connect(record_wrong_code, dispatch_uid="samsaas wrong code")
    for signal, verb in FACTOR_VERBS:
        signal.connect(partial(record_factor, verb=verb), weak=False, dispatch_uid=f"samsaas {verb}")


def record_sign_in(sender: Any, request: HttpRequest | None, user: User, **kwargs: Any) -> None:
    audit.record(user, "signed in", user, address=_address(request))


def record_sign_out(sender: Any, request: HttpRequest | None, user: User | None, **kwargs: Any) -> None:
    """One entry, whether the person signed out or the session reached a limit."""
    if user is not None:
        audit.record(user, "signed out", user, address=_address(request))


def record_wrong_code(sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
    """A wrong code after the right password counts like a wrong password."""
    count_failure(user, address=_address(request), now=timezone.now())


def record_factor(sender: Any, user: User, authenticator: Any, *, verb: str, **kwargs: Any) -> None:
    """A second factor came or went. Its name was chosen by its owner; its secret is not looked at."""
    audit.record(user, verb, user, kind=authenticator.get_type_display(), name=str(authenticator)[:100])


def record_failure(sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any) -> None:
    name = credentials.get("username") or ""
    account = User.objects.filter(username=name).first()
    count_failure(account, address=_address(request), now=timezone.now())


def count_failure(account: User | None, *, address: str, now: datetime) -> None:
    """Count a wrong password of an account, or of a name that no account has. Some of them leave an entry."""
    count = _add_failure(account.pk if account else NOBODY, now)
    if _is_power_of_step(count):
        known = {} if account else {"account": "a name that nobody has"}
        audit.record(None, "failed sign-in", account, address=address, failures=count, **known)


def count_failed_sign_on(*, address: str, now: datetime) -> None:
    """Count an answer of an identity provider that was not accepted. Some of them leave an entry."""
    count = _add_failure(SINGLE_SIGN_ON, now)
    if _is_power_of_step(count):
        reason = "the answer of the identity provider was not accepted"
        audit.record(None, "refused sign-on", None, address=address, failures=count, reason=reason)


def _add_failure(account_id: int, now: datetime) -> int:
    with transaction.atomic():
        new = {"since": now}
        row, _ = FailedSignIns.objects.select_for_update().get_or_create(account_id=account_id, defaults=new)
        if now - row.since > COUNTED_FOR:
            row.since, row.count = now, 0
        row.count += 1
        row.save()
    return row.count


def _is_power_of_step(count: int) -> bool:
    while count % STEP == 0:
        count //= STEP
    return count == 1


def _address(request: HttpRequest | None) -> str:
    return (get_client_ip_address(request) or "") if request else ""
