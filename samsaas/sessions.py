"""Sessions in the database under the hash of their key, so that whoever reads the table cannot take one over.

Whose a session is stands beside it (`AccountSession`), from signing in until it ends, so an account's sessions can be
listed and ended at once.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef
from django.http import HttpRequest
from django.utils import timezone

from samsaas.lib.client_address import client_address
from samsaas.lib.http import SEEN, STARTED
from samsaas.models import AccountSession

LONGEST_KEY = 40  # of the column in Django's table; 160 bits
MOST_LISTED = 50
# The first that a browser's own description contains: most of them name others, too.
BROWSERS = {"Edg": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari"}
SYSTEMS = {
    "Windows": "Windows",
    "Android": "Android",
    "iPhone": "iOS",
    "iPad": "iOS",
    "Mac OS": "macOS",
    "Linux": "Linux",
}


@dataclass(frozen=True)
class OpenSession:
    """A session as its owner knows it."""

    key: str
    browser: str
    address: str
    since: datetime | None
    seen: datetime | None


def stored_key(session_key: str) -> str:
    """What the table holds for the key in the browser's cookie."""
    return hashlib.sha256(session_key.encode("utf-8", "replace")).hexdigest()[:LONGEST_KEY]


class SessionStore(db.SessionStore):
    """Django's sessions, with a hashed primary key. Everywhere else the key is the one of the cookie."""

    def _get_session_from_db(self) -> Any:
        live = self.model.objects.filter(expire_date__gt=timezone.now())
        row = live.filter(session_key=stored_key(self.session_key or "")).first()
        if row is None:
            self._session_key = None
        return row

    def exists(self, session_key: str) -> bool:
        return super().exists(stored_key(session_key))

    def create_model_instance(self, data: Any) -> Any:
        row = super().create_model_instance(data)
        row.session_key = stored_key(row.session_key)
        return row

    def cycle_key(self) -> None:
        owner = AccountSession.objects.filter(key=stored_key(self.session_key or "")).first()
        super().cycle_key()
        if owner:  # it went with the former key
            owner.key = stored_key(self.session_key or "")
            owner.save(force_insert=True)

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key:
            super().delete(stored_key(key))
            AccountSession.objects.filter(key=stored_key(key)).delete()


def note_owner(sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
    """Remember whose this session is. The receiver of Django's `user_logged_in`."""
    if request.session.session_key is None:
        request.session.save()
    facts = {"account": user, "address": client_address(request)[:45], "browser": name_browser(request)}
    AccountSession.objects.update_or_create(key=stored_key(request.session.session_key or ""), defaults=facts)


def name_browser(request: HttpRequest) -> str:
    """Such as "Firefox on Linux". What a browser says of itself is long, and no more of it is stored."""
    described = request.headers.get("User-Agent", "")
    browser = next((name for mark, name in BROWSERS.items() if mark in described), "Another program")
    system = next((name for mark, name in SYSTEMS.items() if mark in described), "")
    return f"{browser} on {system}" if system else browser


def open_sessions(account: User, *, now: datetime) -> list[OpenSession]:
    """The sessions of an account that are not over, the one used last first."""
    owned = {one.key: one for one in AccountSession.objects.filter(account=account)}
    rows = Session.objects.filter(session_key__in=owned, expire_date__gt=now).order_by("-expire_date")[:MOST_LISTED]
    found = [_describe(owned[row.session_key], row.get_decoded()) for row in rows]
    used = [one for one in found if one.seen is None or now - one.seen <= settings.SESSION_IDLE]
    return sorted(used, key=lambda one: one.seen or now, reverse=True)


def _describe(owner: AccountSession, data: dict[str, Any]) -> OpenSession:
    since, seen = (datetime.fromtimestamp(data[name], UTC) if name in data else None for name in (STARTED, SEEN))
    return OpenSession(owner.key, owner.browser, owner.address, since, seen)


def end_sessions(account: User, *, except_key: str | None = None) -> int:
    """Sign an account out everywhere, or everywhere else than in the session with this key. Returns how many ended."""
    owned = AccountSession.objects.filter(account=account).exclude(key=stored_key(except_key) if except_key else "")
    keys = list(owned.values_list("key", flat=True))
    ended = Session.objects.filter(session_key__in=keys).delete()[0]
    owned.filter(key__in=keys).delete()
    return ended


def discard_ownerless() -> int:
    """Forget whose a session was that is gone."""
    live = Session.objects.filter(session_key=OuterRef("key"))
    return AccountSession.objects.exclude(Exists(live)).delete()[0]
