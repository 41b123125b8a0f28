"""CSV downloads of any length, without cells that a spreadsheet would run as formulas."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from django.http import StreamingHttpResponse

# Spreadsheets in an East Asian language also read full-width signs as the start of a formula.
DANGEROUS = (*"=+-@＝＋－＠", "\t", "\r", "\n", "\0")
ROWS_A_CHUNK = 500


class LineWriter:
    """A file for `csv.writer` that returns each line instead of storing it."""

    def write(self, value: str) -> str:
        return value


def safe_cell(value: Any) -> str:
    """The text of a cell. An apostrophe protects a leading formula character, NUL is dropped, times are UTC.

    Text that already begins with such an apostrophe gets another one, so that `plain_cell` restores every text.
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


def plain_cell(cell: str) -> str:
    """The text before `safe_cell`: removes the apostrophe that `safe_cell` added, and no other."""
    return cell[1:] if cell.startswith("'") and safe_cell(cell[1:]) == cell else cell


def encode_rows(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    """UTF-8 with the byte order mark that spreadsheets need, in chunks of `ROWS_A_CHUNK` lines."""
    writer = csv.writer(LineWriter())
    chunk = ["\ufeff", writer.writerow(header)]
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
