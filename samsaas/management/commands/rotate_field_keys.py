"""`manage.py rotate_field_keys`: encrypt every stored secret with the first of FIELD_ENCRYPTION_KEYS.

1. Re-encrypt row by row. A secret that another process stores meanwhile is not overwritten.
2. List the secrets that no key decrypts. With --forget-lost, empty them; their connections then need authorization.
3. Say whether the older keys may be removed.
"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError

from profiles.connection import refresh_token
from profiles.models import Credential
from samsaas import stored_secrets

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
    "None of FIELD_ENCRYPTION_KEYS decrypts these secrets, which were not changed:\n{rows}\n"
    "Add the key they were written with after the others and run this again. If that key is lost for good, "
    "--forget-lost empties them, so that they can be entered again."
)
SHOWN = 20
REASON = "Its secrets could not be decrypted and were removed. Enter the client secret, then press Get OAuth Token."


class Command(BaseCommand):
    help = "Re-encrypt every stored secret with the first key. Safe while the application runs, and safe to repeat."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--forget-lost", action="store_true", help="empty the secrets that no key decrypts")

    def handle(self, *args: Any, **options: Any) -> None:
        tallies = [self._rotate_column(column) for column in stored_secrets.encrypted_columns()]
        lost = [tally for tally in tallies if tally.lost]
        if lost and not options["forget_lost"]:
            raise CommandError(LOST.format(rows=_list_lost(lost)))
        self._empty_lost(lost)
        self.stdout.write("Every stored secret is under the first key.")
        if (others := len(settings.FIELD_ENCRYPTION_KEYS) - 1) > 0:
            self.stdout.write(AGAIN if any(tally.older for tally in tallies) else MAY_GO.format(count=others))

    def _rotate_column(self, column: stored_secrets.Column) -> stored_secrets.Tally:
        tally = stored_secrets.rotate(column)
        self.stdout.write(
            f"{column}: {tally.older} re-encrypted, {tally.current} already under the first key, "
            f"{len(tally.lost)} unreadable"
        )
        return tally

    def _empty_lost(self, lost: list[stored_secrets.Tally]) -> None:
        for tally in lost:
            stored_secrets.forget_lost(tally)
            self.stdout.write(f"{tally.column}: {len(tally.lost)} emptied")
        without = {pk for tally in lost if tally.column.model is Credential for pk in tally.lost}
        for credential in Credential.objects.filter(pk__in=without):
            refresh_token.give_up(credential, reason=REASON)


def _list_lost(lost: list[stored_secrets.Tally]) -> str:
    rows = [f"  {tally.column}, pk {pk}" for tally in lost for pk in tally.lost]
    more = [f"  and {len(rows) - SHOWN} more"] if len(rows) > SHOWN else []
    return "\n".join(rows[:SHOWN] + more)
