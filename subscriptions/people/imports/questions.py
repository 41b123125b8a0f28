"""What a person has to say of a file before it can be read: its encoding, its columns, the order of its dates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, BinaryIO

from django.db import transaction

from profiles.jobs.job import Job
from profiles.models import JobRun
from samsaas.lib.spreadsheets import open_sheet
from subscriptions.models import PersonImport, PersonImportLayout
from subscriptions.people.imports import file as people_file
from subscriptions.people.imports.columns import TABLE, is_ours
from subscriptions.people.imports.file import Header, Layout

PERSONAL = ("samples", "foreign")  # what is shown of the file's lines


class Open(Exception):
    """A question is open. `shown` is what its page shows of the file."""

    def __init__(self, shown: dict[str, Any]) -> None:
        super().__init__()
        self.shown = shown


def settle_encoding(upload: PersonImport, file: BinaryIO) -> Layout:
    """How the file is to be read, as far as it was said. Raises `Open` if its encoding is neither sure nor said."""
    foreign = [] if upload.encoding else open_sheet.list_foreign_lines(file)
    if foreign:
        raise Open({"asked": "encoding", "foreign": foreign})
    return Layout(upload.columns, upload.sheet, upload.encoding, upload.date_order)


def settle_columns(header: Header) -> None:
    """Raises `Open` if it is not clear which column is which."""
    if not header.choice.is_complete:
        raise Open({"asked": "columns", **_describe_header(header)})


def settle_dates(file: BinaryIO, layout: Layout, header: Header) -> Layout:
    """The layout with the order of dates: as the dates themselves say, or a person said for such headings.

    Raises `Open` if neither says it.
    """
    _, records = people_file.read(file, layout, remember=remembered_columns, keep_days=True)
    order = people_file.find_date_order(records) or _remembered(header.headings).date_order
    if not order:
        raise Open({"asked": "dates", **_describe_header(header)})
    return replace(layout, date_order=order)


def remembered_columns(headings: list[str]) -> Mapping[str, int]:
    """The columns that somebody chose for a file with these headings."""
    columns: Mapping[str, int] = _remembered(headings).columns
    return columns


def remember(headings: list[str], columns: Mapping[str, int], date_order: str) -> None:
    """Keep what a person chose, for the next file with these headings."""
    known = _remembered(headings)
    PersonImportLayout.objects.update_or_create(
        headings=known.headings,
        defaults={"columns": dict(columns) or known.columns, "date_order": date_order or known.date_order},
    )


def _remembered(headings: list[str]) -> PersonImportLayout:
    signed = TABLE.sign_headings([heading for heading in headings if not is_ours(heading, headings)])
    return PersonImportLayout.objects.filter(headings=signed).first() or PersonImportLayout(headings=signed)


@transaction.atomic
def ask(job: Job, upload: PersonImport, question: Open) -> None:
    """Keep the question, and end the run: a person answers next."""
    PersonImport.objects.get_locked(upload.pk)
    upload.rows.all().delete()
    earlier = {name: upload.counters[name] for name in ("foreign",) if name in upload.counters}
    upload.counters = {**earlier, **question.shown}
    upload.state, upload.problem = PersonImport.State.CHOOSING, ""
    upload.save(update_fields=["state", "counters", "problem"])
    job.close(JobRun.State.SUCCEEDED, counters={})


def describe(upload: PersonImport, header: Header) -> dict[str, Any]:
    """What is kept of the header with the preview. `kept`: the file stays, since it could be read in another way."""
    asked = bool(upload.encoding or upload.date_order or upload.columns or header.remembered)
    has_more = bool(header.ignored or len(header.shown["sheets"]) > 1)
    foreign = upload.counters.get("foreign", [])
    return {**_describe_header(header), "kept": asked or has_more, "foreign": foreign}


def forget_samples(upload: PersonImport) -> None:
    """Drop what was kept of the file's lines to show it in a question. The caller saves the import."""
    upload.counters = {name: figure for name, figure in upload.counters.items() if name not in PERSONAL}


def _describe_header(header: Header) -> dict[str, Any]:
    choice = header.choice
    asked = {"missing_columns": choice.missing, "unclear": choice.unclear, "places": choice.places}
    told = {"columns": header.known, "ignored": header.ignored, "remembered": header.remembered}
    return {**header.shown, **asked, **told}
