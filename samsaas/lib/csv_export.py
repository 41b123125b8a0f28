"""CSV that can be a million rows long and that no spreadsheet takes for formulas."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from django.http import StreamingHttpResponse

# Spreadsheets set to an East Asian language read the full-width signs as formulas too.
DANGEROUS = (*"=+-@＝＋－＠", "\t", "\r", "\n", "\0")
ROWS_A_CHUNK = 500


class Line:
    """What `csv.writer` writes to: it hands the line back instead of keeping it."""

    def write(self, value: str) -> str:
        return value


def safe(value: Any) -> str:
    """A cell that stays text: a leading formula character is quoted, NUL is dropped, times are UTC.

    Text that begins as if it were quoted already is quoted once more, so that `unguarded` gives back each text.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, int | float):
        return str(value)
    text = str(value)
    return ("'" + text if text.lstrip("'").startswith(DANGEROUS) else text).replace("\0", "")


def unguarded(cell: str) -> str:
    """What was handed to `safe` as text: the apostrophe goes that it has put there, and no other."""
    return cell[1:] if cell.startswith("'") and safe(cell[1:]) == cell else cell


def encoded(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    """UTF-8 with the mark that spreadsheets need, in chunks of many lines so that a row costs no write of its own."""
    writer = csv.writer(Line())
    chunk = ["\ufeff", writer.writerow(header)]
    for count, row in enumerate(rows, start=1):
        chunk.append(writer.writerow([safe(value) for value in row]))
        if count % ROWS_A_CHUNK == 0:
            yield "".join(chunk).encode()
            chunk = []
    yield "".join(chunk).encode()


def stream(filename: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> StreamingHttpResponse:
    """A download that needs the memory of one chunk. Hand in `queryset.iterator()`-backed rows."""
    name = re.sub(r"[^\w.-]+", "-", filename, flags=re.ASCII).strip("-.")
    name = re.sub(r"\.csv$", "", name, flags=re.IGNORECASE) or "export"
    response = StreamingHttpResponse(encoded(header, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response
