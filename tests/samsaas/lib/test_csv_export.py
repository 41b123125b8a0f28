"""CSV that stays text in every spreadsheet, and that costs the memory of one chunk however long it is."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from itertools import count
from typing import Any

import pytest

from samsaas.lib import csv_export

FORMULAS = [
    "=1+1",
    "=HYPERLINK('http://evil.example','click')",
    "+1+1",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1,1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "\r\n=1+1",
    "\0=1+1",
    "＝1+1",
    "＋1+1",
    "－1+1",
    "＠SUM(1,1)",
    "=",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_what_a_spreadsheet_would_calculate_stays_text(text: str) -> None:
    assert csv_export.safe_cell(text) == "'" + text.replace("\0", "")


@pytest.mark.parametrize(
    "text", ["Ada", "a=b", "1+1", "ada+one@two.example", "x\t=y", "Müller-Lüdenscheidt", "'quoted'", ""]
)
def test_ordinary_text_is_left_as_it_is(text: str) -> None:
    assert csv_export.safe_cell(text) == text


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, ""),
        (True, "yes"),
        (False, "no"),
        (0, "0"),
        (-5, "-5"),
        (1.5, "1.5"),
        (datetime(2026, 3, 1, 9, 30, tzinfo=UTC), "2026-03-01 09:30:00"),
        (datetime(2026, 3, 1, 0, 30, tzinfo=timezone(timedelta(hours=2))), "2026-02-28 22:30:00"),
        ("a\0b", "ab"),
    ],
)
def test_values_are_written_the_same_everywhere(value: Any, cell: str) -> None:
    assert csv_export.safe_cell(value) == cell


def test_names_of_all_scripts_quotes_and_line_ends_come_back_as_they_were() -> None:
    row = ["Ada, \"the\" 'first'", "two\nlines", "Żółć 李小龙 مريم", "👩‍👩‍👧", "a;b", "\u202eevil"]
    raw = b"".join(csv_export.encode_rows(["a", "b", "c", "d", "e", "f"], [row]))
    assert raw.startswith(b"\xef\xbb\xbfa,")
    assert list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))[1] == row


def test_a_list_without_rows_still_has_its_header() -> None:
    assert b"".join(csv_export.encode_rows(["Name", "Mail"], [])) == b"\xef\xbb\xbfName,Mail\r\n"


def test_no_row_is_lost_between_two_chunks() -> None:
    number = 2 * csv_export.ROWS_A_CHUNK + 1
    chunks = list(csv_export.encode_rows(["n"], ([n] for n in range(number))))
    assert len(chunks) == 3
    lines = b"".join(chunks).decode("utf-8-sig").split()
    assert lines == ["n", *map(str, range(number))]


def test_the_first_rows_leave_before_the_last_are_read() -> None:
    read = count()

    def endless() -> Iterator[list[int]]:
        while True:
            yield [next(read)]

    response = csv_export.stream("endless", ["n"], endless())
    chunks = iter(response)
    assert next(chunks) and next(chunks)
    assert next(read) == 2 * csv_export.ROWS_A_CHUNK


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("software-subscriptions", "software-subscriptions.csv"),
        ("Dropbox Europe", "Dropbox-Europe.csv"),
        ('a";\r\nSet-Cookie: x=1', "a-Set-Cookie-x-1.csv"),
        ("../../etc/passwd", "etc-passwd.csv"),
        ("李小龙", "export.csv"),
        ("", "export.csv"),
    ],
)
def test_the_file_name_can_break_nothing(name: str, told: str) -> None:
    header = csv_export.stream(name, ["n"], []).headers["Content-Disposition"]
    assert header == f'attachment; filename="{told}"'
