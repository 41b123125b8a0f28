"""`manage.py purge_audit --before DATE`: delete old entries of the audit trail.

1. Count the entries before that day, in the time zone of the pages, and show them. Without --yes that is all.
2. With --yes, delete those that are sealed. A seal names them, so that verifying goes on from there, and an entry says
   who did it, how many went, and from when to when. A trail that is not as it was sealed is left alone.
"""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from datetime import date, datetime, time
from typing import Any

from django.core.management import BaseCommand, CommandError
from django.utils import timezone

from samsaas import audit
from samsaas.models import AuditEntry
from samsaas.sealing import purge


class Command(BaseCommand):
    help = "Delete the entries of the audit trail before a day. Without --yes it only says what would be deleted."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--before", type=day, required=True, metavar="YYYY-MM-DD", help="keep this day and later")
        parser.add_argument("--yes", action="store_true", help="delete them; there is no way back but a backup")
        parser.add_argument("--despite-problems", action="store_true", help="also from a trail that was changed")

    def handle(self, *args: Any, **options: Any) -> None:
        before = timezone.make_aware(datetime.combine(options["before"], time.min))
        if before > timezone.now():
            raise CommandError("The day is in the future. Entries up to now cannot all be deleted.")
        if not options["yes"]:
            figures = purge.find_figures(AuditEntry.objects.filter(at__lt=before))
            self.stdout.write(_sentence("would be deleted", figures))
            self.stdout.write("Nothing was deleted. Add --yes to delete them." if figures["entries"] else "")
            return
        try:
            figures = purge.run(
                before,
                now=timezone.now(),
                done_by=audit.command_line(),
                despite_problems=options["despite_problems"],
            )
        except purge.PurgeRefused as reason:
            raise CommandError(str(reason)) from reason
        self.stdout.write(_sentence("deleted", figures))


def day(text: str) -> date:
    """A day for argparse, whose error message says what is wrong."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no day such as 2026-01-31") from error


def _sentence(done: str, figures: dict[str, Any]) -> str:
    if not figures["entries"]:
        return "There are no entries before that day."
    oldest, newest = (timezone.localtime(figures[name]) for name in ("oldest", "newest"))
    return f"{figures['entries']} entries {done}, from {oldest:%Y-%m-%d %H:%M} to {newest:%Y-%m-%d %H:%M}."
