# ruff: noqa: S608 - names of tables and columns are our own constants, all else is a parameter
"""Which seats would change their user, if the directory or the resolution rules were changed. Nothing is changed.

1. Find the seats that can be concerned: those that a changed value leads to or from, and those of changed
   people. If the rules change, all current seats.
2. Find the person of each as the rules will, in the directory as it would be.
3. Compare with the matches there are now.

The number of queries depends on the number of rules only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date

from django.db import connection

from profiles.models import IntegrationProfile
from samsaas.lib import sql
from subscriptions.models import Subscription
from subscriptions.users import claims, find, overlay
from subscriptions.users.claims import PEOPLE, STORED, Directory
from subscriptions.users.find import MATCHES, SEATS, WANTED, ScopedRule
from subscriptions.users.overlay import CHANGED, OVERLAID, ChangedPerson

ASKED, LOOKED_UP, FOUND = "users_asked_seats", "users_looked_up_values", "users_found_changes"
LOSES, CHANGES, GAINS = "loses", "changes", "gains"
SHOWN = 20
# First what somebody loses, then what another one who is here takes over.
ORDER = f"CASE effect WHEN '{LOSES}' THEN 0 WHEN '{CHANGES}' THEN 1 ELSE 2 END, taken DESC, seat_id"


@dataclass(frozen=True)
class SeatChange:
    """A seat whose user would change, and the names and numbers of its users before and after; empty: nobody."""

    seat: Subscription
    effect: str
    before_name: str
    before_key: str
    after_name: str
    after_key: str


@dataclass(frozen=True)
class UserChanges:
    """How many seats would lose, change and gain their user, and the first of them.

    `taken` of them are taken off somebody who is here, so a person has to confirm them. The others gain a user, or pass
    from somebody who left to somebody who is here.
    """

    loses: int = 0
    changes: int = 0
    gains: int = 0
    taken: int = 0
    shown: list[SeatChange] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.loses + self.changes + self.gains

    @property
    def digest(self) -> str:
        """A text that differs when something else would change, to notice that a preview is out of date."""
        shown = [(one.seat.pk, one.before_key, one.after_key) for one in self.shown]
        counted = (self.loses, self.changes, self.gains, self.taken)
        return hashlib.sha256(repr((counted, shown)).encode()).hexdigest()[:16] if self.total else ""


def of_people(people: Iterable[ChangedPerson], *, today: date, most: int = SHOWN) -> UserChanges:
    """What changing these people would do to the users of seats."""
    with found_for_people(people, today=today):
        return read_changes(most)


def of_rules(rules: Sequence[ScopedRule], *, today: date, most: int = SHOWN) -> UserChanges:
    """What these rules, in this order, would do to the users of seats if they were the active ones."""
    with _found(rules, STORED, today):
        return read_changes(most)


# After an error nothing is dropped: PostgreSQL takes no statement then. Whoever makes the tables next drops them first.
@contextmanager
def found_for_people(people: Iterable[ChangedPerson], *, today: date) -> Iterator[None]:
    """Within it there is the table `FOUND` of all changes: seat_id, effect, taken, key and name before and after."""
    rules = find.scoped_rules(list(IntegrationProfile.objects.all()))
    overlay.lay(people)
    _store_asked(rules)
    with _found(rules, OVERLAID, today, asked=ASKED, freed=overlay.DELETED):
        yield
    sql.drop_table(ASKED)
    overlay.remove()


def read_changes(most: int) -> UserChanges:
    """The changes that are found, with the first `most` of them."""
    counted = dict(sql.fetch_rows(f"SELECT effect, count(*) FROM {FOUND} GROUP BY effect"))
    (taken,) = sql.fetch_row(f"SELECT count(*) FROM {FOUND} WHERE taken = 1")
    columns = "seat_id, effect, before_name, before_key, after_name, after_key"
    rows = sql.fetch_rows(f"SELECT {columns} FROM {FOUND} ORDER BY {ORDER} LIMIT %s", [most])
    seats = Subscription.objects.select_related("profile").in_bulk([row[0] for row in rows])
    return UserChanges(
        loses=counted.get(LOSES, 0),
        changes=counted.get(CHANGES, 0),
        gains=counted.get(GAINS, 0),
        taken=int(taken),
        shown=[SeatChange(seats[row[0]], *row[1:]) for row in rows if row[0] in seats],
    )


@contextmanager
def _found(
    rules: Sequence[ScopedRule], directory: Directory, today: date, *, asked: str = "", freed: str = find.NOBODY
) -> Iterator[None]:
    only = _store_looked_up(rules, asked) if asked else ""
    claims.store_claims((rule.lookup for rule, _ in rules), directory, today, only=only)
    find.store_wanted(rules, asked=asked, freed=freed)
    _store_changes(today, asked=asked, freed=freed, overlaid=directory is OVERLAID)
    yield
    sql.drop_table(FOUND, LOOKED_UP)
    find.drop_wanted()
    claims.drop_claims()


def _store_asked(rules: Sequence[ScopedRule]) -> None:
    """The seats that a value of the changed people can lead to or from, and those matched with them now."""
    sql.drop_table(ASKED)
    sql.execute(f"CREATE TEMPORARY TABLE {ASKED} (seat_id bigint PRIMARY KEY)")
    for rule, profiles in rules:
        if profiles:
            value, values = find.looked_up_value(rule)
            condition, keys = find.seats_condition(rule, profiles)
            sql.execute(
                f"INSERT INTO {ASKED} (seat_id) SELECT t.id FROM {SEATS} t WHERE {condition} "
                f"AND {value} IN (SELECT value FROM {overlay.VALUES}) ON CONFLICT (seat_id) DO NOTHING",
                [*keys, *values],
            )
    sql.execute(
        f"INSERT INTO {ASKED} (seat_id) SELECT subscription_id FROM {MATCHES} "
        f"WHERE person_id IN (SELECT person_id FROM {CHANGED}) ON CONFLICT (seat_id) DO NOTHING"
    )
    sql.analyze(ASKED)


def _store_looked_up(rules: Sequence[ScopedRule], asked: str) -> str:
    """Every value that a rule looks up for one of these seats. Returns the table's name."""
    sql.drop_table(LOOKED_UP)
    sql.execute(f"CREATE TEMPORARY TABLE {LOOKED_UP} (value text PRIMARY KEY)")
    for rule, profiles in rules:
        if profiles:
            value, values = find.looked_up_value(rule)
            condition, keys = find.seats_condition(rule, profiles)
            sql.execute(
                f"INSERT INTO {LOOKED_UP} (value) SELECT DISTINCT {value} FROM {SEATS} t WHERE {condition} "
                f"AND t.id IN (SELECT seat_id FROM {asked}) ON CONFLICT (value) DO NOTHING",
                [*values, *keys],
            )
    sql.analyze(LOOKED_UP)
    return LOOKED_UP


def _store_changes(today: date, *, asked: str, freed: str, overlaid: bool) -> None:
    """Compare the persons that were found with the matches there are."""
    sql.drop_table(FOUND)
    sql.execute(
        f"CREATE TEMPORARY TABLE {FOUND} (seat_id bigint PRIMARY KEY, effect text, taken integer, before_key text, "
        f"before_name text, after_key text, after_name text)"
    )
    changed = f"LEFT JOIN {CHANGED} ca ON ca.person_id = w.person_id LEFT JOIN {CHANGED} cb ON cb.person_id = b.id"
    key, name = ("coalesce(ca.key, a.key)", "coalesce(ca.name, a.name)") if overlaid else ("a.key", "a.name")
    left_on = "CASE WHEN cb.person_id IS NULL THEN b.left_on ELSE cb.left_on END" if overlaid else "b.left_on"
    effect = f"CASE WHEN w.seat_id IS NULL THEN '{LOSES}' WHEN b.id IS NULL THEN '{GAINS}' ELSE '{CHANGES}' END"
    taken = f"CASE WHEN b.id IS NULL OR (w.past = 0 AND {left_on} < %s) THEN 0 ELSE 1 END"
    sql.execute(
        f"INSERT INTO {FOUND} SELECT t.id, {effect}, {taken}, coalesce(b.key, ''), coalesce(b.name, ''), "
        f"coalesce({key}, ''), coalesce({name}, '') "
        f"FROM {SEATS} t LEFT JOIN {MATCHES} m ON m.subscription_id = t.id LEFT JOIN {WANTED} w ON w.seat_id = t.id "
        f"LEFT JOIN {PEOPLE} b ON b.id = m.person_id LEFT JOIN {PEOPLE} a ON a.id = w.person_id "
        f"{changed if overlaid else ''} WHERE t.ended_at IS NULL AND NOT t.excluded "
        f"{f'AND t.id IN (SELECT seat_id FROM {asked})' if asked else ''} "
        f"AND (m.subscription_id IS NULL OR m.rule_id IS NOT NULL OR m.person_id IN ({freed})) "
        f"AND coalesce(m.person_id, 0) <> coalesce(w.person_id, 0)",
        [connection.ops.adapt_datefield_value(today)],
    )
