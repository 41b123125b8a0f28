"""`manage.py rotate_field_keys`: put every stored secret under the first of FIELD_ENCRYPTION_KEYS."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import BaseCommand, CommandError

from samsaas import stored_secrets
from samsaas.lib import fields

DONE = "Every stored secret is under the first key."
AGAIN = (
    "Before you remove the old key(s): restart every web, worker and beat process with the new key first, then run "
    "this command again. When it reports 0 re-encrypted, the old keys may leave FIELD_ENCRYPTION_KEYS. Keep them with "
    "the backups made until then."
)
MAY_GO = (
    "The other {count} key(s) in FIELD_ENCRYPTION_KEYS may be removed, if every process runs with the first key. Keep "
    "them with the backups made until now."
)
UNREADABLE = (
    "None of FIELD_ENCRYPTION_KEYS opens these secrets, which were left as they are:\n{rows}\n"
    "Add the key they were written with behind the others and run this again, or enter the secrets anew."
)
SHOWN = 20


class Command(BaseCommand):
    help = "Re-encrypt every stored secret under the first key. Safe while the application runs; may be repeated."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            fields.cipher()
        except ImproperlyConfigured as problem:
            raise CommandError(str(problem)) from problem
        tallies = [self._rotated(column) for column in stored_secrets.columns()]
        if lost := [f"  {tally.column}, pk {pk}" for tally in tallies for pk in tally.unreadable]:
            more = [f"  and {len(lost) - SHOWN} more"] if len(lost) > SHOWN else []
            raise CommandError(UNREADABLE.format(rows="\n".join(lost[:SHOWN] + more)))
        self.stdout.write(DONE)
        others = len(settings.FIELD_ENCRYPTION_KEYS) - 1
        if others:
            rotated = any(tally.rotated for tally in tallies)
            self.stdout.write(AGAIN if rotated else MAY_GO.format(count=others))

    def _rotated(self, column: stored_secrets.Column) -> stored_secrets.Tally:
        tally = stored_secrets.rotate(column)
        self.stdout.write(
            f"{column}: {tally.rotated} re-encrypted, {tally.current} already under the first key, "
            f"{len(tally.unreadable)} unreadable"
        )
        return tally
