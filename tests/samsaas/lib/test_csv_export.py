"""CSV that stays text in every spreadsheet, and that costs the memory of one chunk however long it is."""

from __future__ import annotations

import csv
import io
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from itertools import count
from typing import Any

import hypothesis
import pytest
from hypothesis import given, strategies

from samsaas.lib import csv_export

pytestmark = pytest.mark.one_database

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
    "x;=cmd|' /C calc'!A0",
    "x; =1+1",
    'x;"=1+1',
    "x;\u200b=1+1",
    "x\t=y",
    "x\n@SUM(1,1)",
    "x\r\n-1+1",
    "x\u2028+1+1",
    "a;b;＝1+1",
    "x;\0=1+1",
    "x;\t=1+1",
    '"=1+1',
    " =1+1",
]


def as_a_spreadsheet_reads(raw: str, separator: str) -> list[str]:
    """The cells of a CSV where the separator is this one: an opening quote counts at the start of a cell only."""
    return [cell for row in csv.reader(io.StringIO(raw, newline=""), delimiter=separator) for cell in row]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_begins_with_a_formula_whatever_the_spreadsheet_takes_for_the_separator(
    text: str, separator: str
) -> None:
    raw = b"".join(csv_export.encode_rows(["name", "mail"], [["Ada", text], [text, "Ada"]])).decode("utf-8-sig")
    for cell in as_a_spreadsheet_reads(raw, separator) + re.split("[;\t\r\n]", raw):
        assert not re.match(r"[\s\"\u200b]*[=+@＝＋－＠-]", cell), (cell, raw)


@pytest.mark.parametrize("text", [*FORMULAS, "'=1", "''=1", "x;'=1", "'x", "a;b", "a@b.example; c@d.example", "it's"])
def test_the_text_comes_back_as_it_was(text: str) -> None:
    assert csv_export.plain_cell(csv_export.safe_cell(text)) == text.replace("\0", "")


@hypothesis.settings(max_examples=300, deadline=None)
@given(strategies.text(alphabet=" ;\t\r\n'\"=+-@ax\u2028\x85\ufeff", max_size=12))
def test_any_text_comes_back_as_it_was(text: str) -> None:
    assert csv_export.plain_cell(csv_export.safe_cell(text)) == text


def test_every_cell_is_quoted_and_numbers_of_ours_stay_numbers() -> None:
    row = ["-5", -5, Decimal("-12.50"), 1.5, None, True]
    raw = b"".join(csv_export.encode_rows(["=head", "b", "c", "d", "e", "f"], [row])).decode("utf-8-sig")
    assert raw == '"\'=head","b","c","d","e","f"\r\n"\'-5","-5","-12.50","1.5","","yes"\r\n'


def test_a_long_cell_made_of_separators_costs_no_more_than_another() -> None:
    for text in (";" * 100_000, ";" + " " * 100_000, "; " * 100_000, "\t" * 100_000, "'" * 100_000):
        began = time.perf_counter()
        assert csv_export.plain_cell(csv_export.safe_cell(text)) == text
        assert time.perf_counter() - began < 2


@pytest.mark.parametrize(
    "text", ["Ada", "a=b", "1+1", "ada+one@two.example", "x\ty", "a;b", "Müller-Lüdenscheidt", "'quoted'", ""]
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
    assert raw.startswith(b'\xef\xbb\xbf"a",')
    assert list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))[1] == row


def test_a_list_without_rows_still_has_its_header() -> None:
    assert b"".join(csv_export.encode_rows(["Name", "Mail"], [])) == b'\xef\xbb\xbf"Name","Mail"\r\n'


def test_no_row_is_lost_between_two_chunks() -> None:
    number = 2 * csv_export.ROWS_A_CHUNK + 1
    chunks = list(csv_export.encode_rows(["n"], ([n] for n in range(number))))
    assert len(chunks) == 3
    lines = b"".join(chunks).decode("utf-8-sig").split()
    assert lines == ['"n"', *(f'"{one}"' for one in range(number))]


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
