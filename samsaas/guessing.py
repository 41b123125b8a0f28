"""How often a password may be guessed: at the sign-in page, and within a session that asks for it again.

Every attempt is counted before the password is looked at, so that many at once are not more than the limit; the right
password takes its own count back. Counted are

1. a name from a place: `AXES_FAILURE_LIMIT` wrong ones, then closed for `AXES_COOLOFF_TIME`;
2. a place, whatever the name: `MOST_PER_PLACE`, then closed as long. A place is an IPv4 address or an IPv6 /64;
3. a name from anywhere: from the `FREE_PER_NAME`th on, each wrong one doubles the wait until the next try, up to
   `LONGEST_WAIT`. The account is never closed, and where its owner has signed in before it is not even slowed down;
4. a session: `AXES_FAILURE_LIMIT`, then the caller ends it;
5. new passwords tried in a session: `MOST_NEW_PASSWORDS`, right or not, because judging one takes time.
6. links from mails, whether right or wrong: `LINKS_PER_MINUTE` from a place within a minute;
7. wrong API tokens: `WRONG_TOKENS_PER_MINUTE` from a place within a minute.

Where a door is closed nothing is counted or stored, so a place makes at most two rows for each of its `MOST_PER_PLACE`.
Names that nobody has are counted like all others, so the answers do not tell which accounts exist. Names, addresses and
session keys are stored as hashes: what is typed into the field of the name may be a password.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.crypto import salted_hmac

from samsaas.lib.client_address import network_of
from samsaas.models import GuessCount

MOST_PER_PLACE = 30
MOST_NEW_PASSWORDS = 20
NEW_PASSWORDS = "new passwords"  # in the column of the place, for the second count of a session
FREE_PER_NAME = 10
LINKS_PER_MINUTE = 20
WRONG_TOKENS_PER_MINUTE = 20
LONGEST_WAIT = timedelta(minutes=5)
NAME_FORGOTTEN_AFTER = timedelta(days=1)
NOW = timedelta(0)
Kind = GuessCount.Kind
Key = tuple[str, str, str]  # kind, name, place


@dataclass(frozen=True)
class Attempt:
    """One attempt. `wait` is how long the next may not be made; with `refused` this one may not be made either."""

    keys: tuple[Key, ...]
    refused: bool
    wait: timedelta = NOW

    @property
    def is_last(self) -> bool:
        """Whether a wrong password now closes the door."""
        return self.wait > NOW


def begin_sign_in(name: str, address: str, *, now: datetime) -> Attempt:
    """Count an attempt to sign in under this name from this address."""
    who, where = _digest(f"name {name}"), _digest(f"place {network_of(address)}")
    keys: list[Key] = [(Kind.PAIR, who, where), (Kind.PLACE, "", where)]
    known = GuessCount.objects.filter(kind=Kind.KNOWN, name=who, place=where, last_at__gt=now - place_known_for())
    return _begin(keys if known.exists() else [*keys, (Kind.NAME, who, "")], now)


def begin_in_session(session_key: str, *, now: datetime) -> Attempt:
    """Count an attempt to give the password again inside a session."""
    return _begin([(Kind.SESSION, _digest(f"session {session_key}"), "")], now)


def begin_new_password(session_key: str, *, now: datetime) -> Attempt:
    """Count an attempt to choose another password. Nobody takes this count back."""
    return _begin([(Kind.SESSION, _digest(f"session {session_key}"), NEW_PASSWORDS)], now)


def begin_link(address: str, *, now: datetime) -> Attempt:
    """Count that a link from a mail was opened from this address. Every minute begins anew."""
    return _begin([_key_of_minute(Kind.LINK, address, now)], now)


def begin_wrong_token(address: str, *, now: datetime) -> Attempt:
    """Count a wrong API token from this address. Every minute begins anew."""
    return _begin([_key_of_minute(Kind.TOKEN, address, now)], now)


def _key_of_minute(kind: Kind, address: str, now: datetime) -> Key:
    return kind, _digest(f"minute {int(now.timestamp()) // 60}"), _digest(f"place {network_of(address)}")


@transaction.atomic
def succeed(attempt: Attempt, *, now: datetime) -> None:
    """The password was right. What is counted by name begins anew; a place keeps the guesses at other names."""
    rows = _lock_rows(attempt.keys, now)
    for row in rows:
        row.count = max(row.count - 1, 0) if row.kind == Kind.PLACE else 0
        if row.kind == Kind.PAIR:
            values = {"last_at": now}
            GuessCount.objects.update_or_create(kind=Kind.KNOWN, name=row.name, place=row.place, defaults=values)
    GuessCount.objects.bulk_update(rows, ["count"])


def reset(*, name: str | None = None, address: str | None = None) -> int:
    """Forget the wrong passwords of a name, of an address, or of one from the other. Returns how many counts went."""
    rows = GuessCount.objects.exclude(kind=Kind.KNOWN)
    if name is not None:
        rows = rows.filter(name=_digest(f"name {name}"))
    if address is not None:
        rows = rows.filter(place=_digest(f"place {network_of(address)}"))
    return rows.delete()[0]


def place_known_for() -> timedelta:
    """For how long a place counts as known after a sign-in from there."""
    return timedelta(days=settings.RETENTION_DAYS["sign_ins"])


def discard_old(now: datetime) -> int:
    """Delete what no longer counts. Rows that an attempt holds at this moment are left for the next time."""
    over = Q(last_at__lt=now - NAME_FORGOTTEN_AFTER) & ~Q(kind=Kind.KNOWN)
    over |= Q(last_at__lt=now - place_known_for())
    old = GuessCount.objects.select_for_update(skip_locked=True).filter(over)
    return GuessCount.objects.filter(pk__in=old.values("pk")).delete()[0]


def _begin(keys: Sequence[Key], now: datetime) -> Attempt:
    """Count an attempt, unless a door is closed. One that is refused writes nothing, so strangers fill no table."""
    wait = _longest_wait(_rows_of(keys), now)
    if wait > NOW:
        return Attempt(tuple(keys), refused=True, wait=wait)
    with transaction.atomic():
        rows = _lock_rows(keys, now)
        wait = _longest_wait(rows, now)
        if wait > NOW:  # others were quicker
            transaction.set_rollback(True)
            return Attempt(tuple(keys), refused=True, wait=wait)
        for row in rows:
            row.count, row.last_at = row.count + 1, now
        GuessCount.objects.bulk_update(rows, ["count", "last_at"])
    return Attempt(tuple(keys), refused=False, wait=_longest_wait(rows, now))


def _longest_wait(rows: Iterable[GuessCount], now: datetime) -> timedelta:
    """How long the door stays closed. Counts that are too old begin anew."""
    wait = NOW
    for row in rows:
        if now - row.last_at > _remembered(row):
            row.count = 0
        wait = max(wait, _wait(row, now))
    return wait


def _rows_of(keys: Sequence[Key]) -> QuerySet[GuessCount]:
    wanted = Q(pk__in=[])
    for kind, name, place in keys:
        wanted |= Q(kind=kind, name=name, place=place)
    return GuessCount.objects.filter(wanted)


def _lock_rows(keys: Sequence[Key], now: datetime) -> list[GuessCount]:
    """The rows of these keys, made where they are missing, locked in one order so that no two attempts deadlock."""
    new = [GuessCount(kind=kind, name=name, place=place, last_at=now) for kind, name, place in sorted(keys)]
    GuessCount.objects.bulk_create(new, ignore_conflicts=True)
    return list(_rows_of(keys).select_for_update().order_by("kind", "name", "place"))


def _remembered(row: GuessCount) -> timedelta:
    cool_off: timedelta = settings.AXES_COOLOFF_TIME
    minute = timedelta(minutes=1)
    remembered = {Kind.NAME: NAME_FORGOTTEN_AFTER, Kind.LINK: minute, Kind.TOKEN: minute}
    return remembered.get(Kind(row.kind), cool_off)


def _wait(row: GuessCount, now: datetime) -> timedelta:
    """How long this count still closes the door."""
    if row.kind == Kind.NAME:
        doubled = row.count - FREE_PER_NAME
        closed = min(timedelta(seconds=2 ** min(doubled, 20)), LONGEST_WAIT) if doubled >= 0 else NOW
    else:
        closed = _remembered(row) if row.count >= _most(row) else NOW
    return max(closed - (now - row.last_at), NOW)


def _most(row: GuessCount) -> int:
    """How many attempts close the door."""
    if row.kind == Kind.SESSION and row.place == NEW_PASSWORDS:
        return MOST_NEW_PASSWORDS
    most = {Kind.PLACE: MOST_PER_PLACE, Kind.LINK: LINKS_PER_MINUTE, Kind.TOKEN: WRONG_TOKENS_PER_MINUTE}
    return most.get(Kind(row.kind), settings.AXES_FAILURE_LIMIT)


def _digest(text: str) -> str:
    """Keyed, so that whoever reads the table cannot try names and addresses against it."""
    plain = text.encode("utf-8", "replace").decode()
    return salted_hmac("samsaas.guessing", plain, algorithm="sha256").hexdigest()
