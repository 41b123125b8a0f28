"""CSV downloads of any length, without cells that a spreadsheet would run as formulas.

Every cell is quoted. Text is guarded by an apostrophe wherever a spreadsheet could find the beginning of a cell: at its
start, and inside it after a semicolon, a tab or a line end, since a spreadsheet may take those for the separator and
ignore the quotes. Numbers are ours and stay numbers, negative ones too; text that looks like a number is text.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.http import StreamingHttpResponse

# Spreadsheets in an East Asian language also read full-width signs as the start of a formula.
FORMULA = "=+\\-@＝＋－＠"
BREAKS = ";\t\n\x0b\x0c\r\x85\u2028\u2029"
# What a spreadsheet may pass over in front of a formula: blanks, quotes, and what cannot be seen.
PASSED_OVER = " \"'\x00-\x08\x0e-\x1f\x7f\xa0\xad\u1680\u2000-\u200f\u202a-\u202f\u205f-\u206f\u3000\ufeff"
BEGINS_FORMULA = f"[{PASSED_OVER}]*[{FORMULA}]"
# Where a cell begins, or could be thought to begin. A blank line in front hides a formula as well.
DANGER = f"(?:\\A(?=(?:{BEGINS_FORMULA}|'*[\t\r\n]))|(?<=[{BREAKS}])(?={BEGINS_FORMULA}))"
TO_GUARD = re.compile(DANGER)
GUARDED = re.compile(DANGER.replace("(?=", "'(?="))
ROWS_A_CHUNK = 500


class LineWriter:
    """A file for `csv.writer` that returns each line instead of storing it."""

    def write(self, value: str) -> str:
        return value


def safe_cell(value: Any) -> str:
    """The text of a cell. An apostrophe guards every place where a formula could begin, NUL is dropped, times are UTC.

    Text that already has such an apostrophe gets another one, so that `plain_cell` restores every text.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, int | float | Decimal):
        return str(value)
    return TO_GUARD.sub("'", str(value).replace("\0", ""))


def plain_cell(cell: str) -> str:
    """The text before `safe_cell`: removes the apostrophes that `safe_cell` added, and no other."""
    return GUARDED.sub("", cell)


def encode_rows(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    """UTF-8 with the byte order mark that spreadsheets need, in chunks of `ROWS_A_CHUNK` lines."""
    writer = csv.writer(LineWriter(), quoting=csv.QUOTE_ALL)
    chunk = ["\ufeff", writer.writerow([safe_cell(heading) for heading in header])]
    for count, row in enumerate(rows, start=1):
        chunk.append(writer.writerow([safe_cell(value) for value in row]))
        if count % ROWS_A_CHUNK == 0:
            yield "".join(chunk).encode()
            chunk = []
    yield "".join(chunk).encode()


def stream(filename: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> StreamingHttpResponse:
    """A streamed download that holds one chunk in memory. `rows` should read from `queryset.iterator()`."""
    name = re.sub(r"[^\w.-]+", "-", filename, flags=re.ASCII).strip("-.")
    name = re.sub(r"\.csv$", "", name, flags=re.IGNORECASE) or "export"
    response = StreamingHttpResponse(encode_rows(header, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response
