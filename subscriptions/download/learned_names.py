# ruff: noqa: S608 - names of tables and columns are our own constants, all else is a parameter
"""Have the log read again for seats to which use may belong that led elsewhere before.

An event may name its actor by an account id or an address alone. Once a listing gives a seat that name, or takes it
from another one, the use is the seat's, but the log was read before. Only names that the log is known to hold so count,
so most new names cost no reading.

1. Collect the names that a publish gives to known seats or takes from them, before it writes.
2. Of those, find the ones that the log holds alone.
3. The seats that have them now are known from now on, as far as the log is concerned. The next pull reads it for them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Q

from profiles.models import IntegrationProfile
from samsaas.lib import sql
from subscriptions.activity import names_in_log, store
from subscriptions.activity.names_in_log import ACCOUNT, ADDRESS, Name
from subscriptions.download.differences import FOUND, GONE, SEATS
from subscriptions.models import Subscription, normalize_address

COLUMNS = ("account_id", "compared_email", "secondary_emails")


class LearnedNames:
    """The names that one publish moves. Where the log never named anybody by a name alone, it collects nothing."""

    def __init__(self, profile: IntegrationProfile) -> None:
        self.profile, self.names = profile, set[Name]()
        self.is_needed = names_in_log.are_any(profile)

    def add_changed(self, stage: str) -> None:
        """Collect what differs between the seats and their records, and all names of seats that return."""
        if not self.is_needed:
            return
        before, after = (", ".join(f"{table}.{name}" for name in COLUMNS) for table in "ts")
        self._add(
            sql.fetch_rows(
                f"""
                SELECT {before}, {after} FROM {FOUND} d
                JOIN {stage} s ON s.position = d.position JOIN {SEATS} t ON t.id = d.seat_id
                WHERE d.returned OR ({before}) <> ({after})
                """
            )
        )

    def add_gone(self) -> None:
        """Collect the names of the seats that end."""
        if self.is_needed:
            columns = ", ".join(COLUMNS)
            self._add(sql.fetch_rows(f"SELECT {columns} FROM {SEATS} WHERE id IN (SELECT id FROM {GONE})"))

    def read_again(self) -> None:
        """Have the log read again for the seats that have such a name now. Call it when all is written."""
        found = names_in_log.find(self.profile, self.names)
        if not found:
            return
        accounts, addresses = ({name for what, name in found if what == kind} for kind in (ACCOUNT, ADDRESS))
        listed = Subscription.objects.filter(profile=self.profile).listed()
        named = listed.filter(Q(account_id__in=accounts) | Q(compared_email__in=addresses))
        owners = store.secondary_owners(self.profile, addresses, listed=True).values()
        keys = {*named.values_list("pk", flat=True), *(key for some in owners for key in some)}
        listed.filter(pk__in=keys).update(known_since=sql.database_now(), read_from=None)

    def _add(self, rows: Iterable[tuple[Any, ...]]) -> None:
        for row in rows:
            for start in range(0, len(row), len(COLUMNS)):
                account, address, others = row[start : start + len(COLUMNS)]
                self.names.add((ACCOUNT, account))
                self.names.update((ADDRESS, normalize_address(one)) for one in (address, *others.split("\n")))
        self.names -= {(ACCOUNT, ""), (ADDRESS, "")}
