"""Sessions in the database under the hash of their key, so that whoever reads the table cannot take one over."""

from __future__ import annotations

import hashlib
from typing import Any

from django.contrib.sessions.backends import db
from django.utils import timezone

LONGEST_KEY = 40  # of the column in Django's table; 160 bits


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

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key:
            super().delete(stored_key(key))
