"""`manage.py purge_audit --before DATE`: delete old entries of the audit trail.

1. Count the entries before that day, in the time zone of the pages, and show them. Without --yes that is all.
2. With --yes, delete them and append an entry that says who did it, how many entries went, and from when to when.
"""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from datetime import date, datetime, time
from typing import Any

from django.core.management import BaseCommand, CommandError
from django.db.models import Count, Max, Min
from django.utils import timezone

from samsaas import audit
from samsaas.lib import append_only
from samsaas.models import AuditEntry


class Command(BaseCommand):
    help = "Delete the entries of the audit trail before a day. Without --yes it only says what would be deleted."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--before", type=day, required=True, metavar="YYYY-MM-DD", help="keep this day and later")
        parser.add_argument("--yes", action="store_true", help="delete them; there is no way back but a backup")

    def handle(self, *args: Any, **options: Any) -> None:
        before = timezone.make_aware(datetime.combine(options["before"], time.min))
        if before > timezone.now():
            raise CommandError("The day is in the future. Entries up to now cannot all be deleted.")
        if not options["yes"]:
            figures = _figures(before)
            self.stdout.write(_sentence("would be deleted", figures))
            self.stdout.write("Nothing was deleted. Add --yes to delete them." if figures["entries"] else "")
            return
        with append_only.allow_deleting(audit.TABLE, before=before):
            figures = _figures(before)
            if figures["entries"]:
                AuditEntry.objects.filter(at__lt=before).delete()
                audit.record(None, "purged audit trail", None, **audit.command_line(), **_as_texts(before, figures))
        self.stdout.write(_sentence("deleted", figures))


def day(text: str) -> date:
    """A day for argparse, whose error message says what is wrong."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no day such as 2026-01-31") from error


def _figures(before: datetime) -> dict[str, Any]:
    old = AuditEntry.objects.filter(at__lt=before).order_by()
    return old.aggregate(entries=Count("pk"), oldest=Min("at"), newest=Max("at"))


def _sentence(done: str, figures: dict[str, Any]) -> str:
    if not figures["entries"]:
        return "There are no entries before that day."
    oldest, newest = (timezone.localtime(figures[name]) for name in ("oldest", "newest"))
    return f"{figures['entries']} entries {done}, from {oldest:%Y-%m-%d %H:%M} to {newest:%Y-%m-%d %H:%M}."


def _as_texts(before: datetime, figures: dict[str, Any]) -> dict[str, Any]:
    moments = {"before": before, "oldest": figures["oldest"], "newest": figures["newest"]}
    return {"entries": figures["entries"]} | {name: moment.isoformat() for name, moment in moments.items()}
