"""`manage.py rotate_field_keys`: encrypt every stored secret with the first of FIELD_ENCRYPTION_KEYS.

1. With --bind-unbound, bind the secrets in the old format to their rows. Without it they are named and left alone.
2. Re-encrypt row by row. A secret that another process stores meanwhile is not overwritten.
3. List the secrets that cannot be decrypted. With --forget-lost, empty them; their connections then need authorization.
4. Say whether the older keys may be removed, and record what was done in the audit trail.
"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError

from profiles.connection import refresh_token
from profiles.models import Credential
from samsaas import audit, stored_secrets
from samsaas.lib.ciphertexts import Column

AGAIN = (
    "Before you remove the old key(s): restart every web, worker and beat process with the new key first, then run "
    "this command again. When it reports 0 re-encrypted, the old keys may leave FIELD_ENCRYPTION_KEYS. Keep them with "
    "the backups made until then."
)
MAY_GO = (
    "The other {count} key(s) in FIELD_ENCRYPTION_KEYS may be removed, if every process runs with the first key. Keep "
    "them with the backups made until now."
)
LOST = (
    "These secrets cannot be decrypted and were not changed:\n{rows}\n"
    "Either none of FIELD_ENCRYPTION_KEYS is their key: add the key they were written with after the others and run "
    "this again. Or somebody changed them in the database. If they are lost for good, --forget-lost empties them, so "
    "that they can be entered again."
)
UNBOUND = (
    "These secrets are in the format of older releases, which is not bound to its row, so they are not used:\n{rows}\n"
    "Migrating binds them. If these came back with something you restored yourself, run this again with "
    "--bind-unbound. If not, somebody wrote to the database: enter these secrets again instead."
)
SHOWN = 20
REASON = "Its secrets could not be decrypted and were removed. Enter the client secret, then press Get OAuth Token."


class Command(BaseCommand):
    help = "Re-encrypt every stored secret with the first key. Safe while the application runs, and safe to repeat."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--forget-lost", action="store_true", help="empty the secrets that cannot be decrypted")
        parser.add_argument(
            "--bind-unbound", action="store_true", help="trust secrets in the old format, and bind them to their rows"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        columns = stored_secrets.encrypted_columns()
        bound = sum(self._bind_column(column) for column in columns) if options["bind_unbound"] else 0
        tallies = [self._rotate_column(column) for column in columns]
        lost = [tally for tally in tallies if tally.lost]
        forgotten = self._empty_lost(lost) if options["forget_lost"] else 0
        self._record(re_encrypted=sum(tally.older for tally in tallies), bound=bound, forgotten=forgotten)
        if unbound := _list_rows(tallies, "unbound"):
            raise CommandError(UNBOUND.format(rows=unbound))
        if lost and not options["forget_lost"]:
            raise CommandError(LOST.format(rows=_list_rows(tallies, "lost")))
        self.stdout.write("Every stored secret is under the first key.")
        if (others := len(settings.FIELD_ENCRYPTION_KEYS) - 1) > 0:
            self.stdout.write(AGAIN if any(tally.older for tally in tallies) else MAY_GO.format(count=others))

    def _bind_column(self, column: Column) -> int:
        bound = stored_secrets.bind(column)
        self.stdout.write(f"{column}: {bound} bound to their rows")
        return bound

    def _rotate_column(self, column: Column) -> stored_secrets.Tally:
        tally = stored_secrets.rotate(column)
        unbound = f", {len(tally.unbound)} not bound to their rows" if tally.unbound else ""
        self.stdout.write(
            f"{column}: {tally.older} re-encrypted, {tally.current} already under the first key, "
            f"{len(tally.lost)} unreadable{unbound}"
        )
        return tally

    def _empty_lost(self, lost: list[stored_secrets.Tally]) -> int:
        """Returns how many secrets were emptied. A connection that somebody has made anew meanwhile is left alone."""
        before = {credential.pk: credential for credential in Credential.objects.defer(*Credential.secret_names())}
        count, without = 0, set()
        for tally in lost:
            emptied = stored_secrets.forget_lost(tally)
            self.stdout.write(f"{tally.column}: {len(emptied)} emptied")
            count += len(emptied)
            without |= set(emptied) if tally.column.model is Credential else set()
        for pk in without & before.keys():
            refresh_token.give_up(before[pk], reason=REASON)  # by its generation, which a new grant raises
        return count

    def _record(self, **figures: int) -> None:
        if any(figures.values()):
            audit.record(None, "re-encrypted secrets", None, **audit.command_line(), **figures)


def _list_rows(tallies: list[stored_secrets.Tally], kind: str) -> str:
    rows = [f"  {tally.column}, pk {pk}" for tally in tallies for pk in getattr(tally, kind)]
    more = [f"  and {len(rows) - SHOWN} more"] if len(rows) > SHOWN else []
    return "\n".join(rows[:SHOWN] + more)
