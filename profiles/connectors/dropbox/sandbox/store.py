"""Registered apps, one-time codes, grants and access tokens, kept in a file if there is one."""

from __future__ import annotations

import datetime as dt
import json
import os
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from profiles.connectors.dropbox.sandbox.clock import Clock

CODE_LIFE = 600
TOKEN_LIFE = 14400
# The day from which the past was told, whenever it was, before a state file kept its own.
DAY_OF_OLD_FILES = "2026-11-23"


@dataclass(frozen=True, kw_only=True)
class App:
    """An app of the App Console. Its scopes are those ticked on the Permissions tab."""

    key: str
    secret: str
    name: str
    redirect_uris: tuple[str, ...]
    scopes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Code:
    """An authorization code, good once and for ten minutes."""

    app_key: str
    redirect_uri: str
    scopes: tuple[str, ...]
    access: str
    team_id: str
    admin_id: str
    challenge: str
    method: str
    expires_at: float


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What one consent gave: to a team by its admin, or to a personal account (`team_id` empty)."""

    grant_id: str
    app_key: str
    team_id: str
    admin_id: str
    scopes: tuple[str, ...]
    with_secret: bool = True


@dataclass(frozen=True, kw_only=True)
class AccessToken:
    """A bearer token. `expires_at` is in seconds since 1970; None for a legacy, long-lived one."""

    grant_id: str
    scopes: tuple[str, ...]
    expires_at: float | None


class Store:
    """Everything the sandbox keeps over a restart: how far the clock was moved, and what became of the teams, too.

    `first_day` is the day of the very first start. `pasts` holds the past of each team in the form of the file.
    """

    def __init__(self, clock: Clock, path: Path | None = None) -> None:
        self._clock, self._path = clock, path
        self.first_day = clock.now().date()
        self.pasts: dict[str, dict[str, Any]] = {}
        self.apps: dict[str, App] = {}
        self.codes: dict[str, Code] = {}
        self.grants: dict[str, Grant] = {}
        self.refresh_tokens: dict[str, str] = {}
        self.tokens: dict[str, AccessToken] = {}
        if path and path.exists():
            self._load_state(json.loads(path.read_text("utf-8")))

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def issue_code(self, **fields: Any) -> str:
        """A fresh code for this consent."""
        code = secrets.token_urlsafe(32)
        self.codes[code] = Code(expires_at=self._now() + CODE_LIFE, **fields)
        return code

    def take_code(self, code: str, app_key: str) -> Code | None:
        """Return the consent behind a code, once. None if the code is unknown, used, too old, or of another app."""
        found = self.codes.get(code)
        if found is None or found.app_key != app_key:
            return None
        del self.codes[code]
        return found if found.expires_at > self._now() else None

    def issue_grant(self, **fields: Any) -> Grant:
        """A new grant. Its tokens are issued separately."""
        grant = Grant(grant_id=secrets.token_hex(12), **fields)
        self.grants[grant.grant_id] = grant
        return grant

    def issue_refresh_token(self, grant: Grant) -> str:
        """A refresh token, good until the grant is revoked."""
        token = f"sandbox-refresh-{secrets.token_urlsafe(36)}"
        self.refresh_tokens[token] = grant.grant_id
        self.save()
        return token

    def issue_access_token(self, grant: Grant, scopes: Iterable[str] | None = None, *, lasting: bool = False) -> str:
        """An access token of four hours, or for ever if `lasting`."""
        token = f"sl.u.sandbox-{secrets.token_urlsafe(96)}"
        self.tokens = {t: a for t, a in self.tokens.items() if (a.expires_at or self._now()) > self._now() - TOKEN_LIFE}
        granted = grant.scopes if scopes is None else tuple(sorted(scopes))
        expires_at = None if lasting else self._now() + TOKEN_LIFE
        self.tokens[token] = AccessToken(grant_id=grant.grant_id, scopes=granted, expires_at=expires_at)
        self.save()
        return token

    def grant_behind(self, refresh_token: str) -> Grant | None:
        """The grant of a refresh token, unless it is revoked."""
        return self.grants.get(self.refresh_tokens.get(refresh_token, ""))

    def revoke(self, grant_id: str) -> None:
        """End a grant with all its tokens."""
        self.grants.pop(grant_id, None)
        self.refresh_tokens = {t: g for t, g in self.refresh_tokens.items() if g != grant_id}
        self.save()

    def save(self) -> None:
        """Write the file by replacing it, so that a reader sees either the old state or the new one."""
        if self._path is None:
            return
        kept = {
            "first_day": self.first_day.isoformat(),
            "moved_by": self._clock.shift.total_seconds(),
            "pasts": self.pasts,
            "apps": [asdict(app) for app in self.apps.values()],
            "grants": [asdict(grant) for grant in self.grants.values()],
            "refresh_tokens": self.refresh_tokens,
            "tokens": {token: asdict(record) for token, record in self.tokens.items()},
        }
        draft = self._path.with_suffix(".draft")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(kept, file, indent=1)
        draft.replace(self._path)

    def _load_state(self, kept: dict[str, Any]) -> None:
        def restore_tuples(fields: dict[str, Any]) -> dict[str, Any]:
            return {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}

        self.first_day = dt.date.fromisoformat(kept.get("first_day", DAY_OF_OLD_FILES))
        self._clock.shift = dt.timedelta(seconds=kept.get("moved_by", 0))
        self.pasts = kept.get("pasts", {})
        self.apps = {fields["key"]: App(**restore_tuples(fields)) for fields in kept["apps"]}
        self.grants = {fields["grant_id"]: Grant(**restore_tuples(fields)) for fields in kept["grants"]}
        self.refresh_tokens = dict(kept["refresh_tokens"])
        self.tokens = {token: AccessToken(**restore_tuples(fields)) for token, fields in kept["tokens"].items()}
