"""Cells as values. Where a cell can be read in two ways, it is refused with both, never guessed.

Every function raises `BadCell`, whose text goes on after the name of the column: “Start date” + “is not a day …”.
"""

from __future__ import annotations

import math
import re
from datetime import date, datetime
from decimal import Decimal

from samsaas.lib import text_forms
from samsaas.lib.spreadsheets import month_names
from samsaas.lib.spreadsheets.sheet import Cell, CellError, Formula

CONTROL = re.compile(r"[\x00-\x1f\x7f]")
CONTROL_BUT_LINES = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
ISO = re.compile(r"(\d{4})([-/.]?)(\d\d)\2(\d\d)", re.ASCII)
DOTTED = re.compile(r"(\d\d?)\.(\d\d?)\.(\d{4})", re.ASCII)
SLASHED = re.compile(r"(\d\d?)[/-](\d\d?)[/-](\d{4})", re.ASCII)
NAMED = re.compile(r"(\d\d?)(?:er|st|nd|rd|th)?[-. ]+(?:de )?([^\W\d_]+)[-., ]+(?:de )?(\d{4})")
NAMED_FIRST = re.compile(r"([^\W\d_]+)[. ]+(\d\d?)(?:st|nd|rd|th)?,? +(\d{4})")
# A time of that day by the clock. With an offset it is midnight there, or the day would depend on who reads it.
CLOCK = re.compile(r"[ T]\d\d?:\d\d(?::\d\d(?:\.\d+)?)?(?: ?[AP]M)?", re.ASCII | re.IGNORECASE)
MIDNIGHT = re.compile(r"[ T]00:00(?::00(?:\.0+)?)?(?:Z|[+-]\d\d:?\d\d)", re.ASCII)
EARLIEST, LATEST = date(1950, 1, 1), date(2100, 12, 31)
# What source systems write for “no day”, once the separators are gone: zeros, the first day they know, or a year from
# 2999 on.
NO_DAY = re.compile(r"0{8}|00010101|01010001|17530101|01011753|1899123[01]|3[01]121899|19000101|01011900|19000100")
FAR_YEARS = range(2999, 10_000)
DAY_FIRST, MONTH_FIRST = "day", "month"
POINT, COMMA = ".", ","
YES, NO = {"yes", "y", "true", "x", "1", "on"}, {"no", "n", "false", "0", "off", ""}
SHOWN = 20  # letters of a cell that a message repeats
LONGEST_NUMBER = 40


class BadCell(ValueError):
    """A cell that cannot be read. The text says why, in words that follow the name of its column."""


def read_text(cell: Cell, *, lines: bool = False) -> str:
    """A cell as text: numbers as they are written, days as 2026-03-31. With `lines` it may have line ends."""
    if isinstance(cell, Formula):
        raise BadCell("is a formula. Replace it with its value.")
    if isinstance(cell, CellError):
        raise BadCell(f"shows the error {cell.text[:SHOWN]}.")
    if isinstance(cell, datetime):
        return cell.date().isoformat() if not any((cell.hour, cell.minute, cell.second)) else cell.isoformat(" ")
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, int | float):
        return write_number(plain_number(cell))
    text = str(cell)
    if (CONTROL_BUT_LINES if lines else CONTROL).search(text):
        raise BadCell("contains a line break or a control character.")
    if lines:
        return "\n".join(text_forms.clean_text(line) for line in text.splitlines()).strip()
    return text_forms.clean_text(text)


def show_cell(cell: Cell) -> str:
    """A cell as it is kept and shown, whatever it holds."""
    if isinstance(cell, Formula | CellError):
        return cell.text
    try:
        return read_text(cell)
    except BadCell:
        return str(cell).replace("\0", "")


def plain_number(cell: int | float) -> Decimal:
    """A number of a workbook with the digits that spreadsheets show. Raises `BadCell`."""
    if isinstance(cell, float) and not math.isfinite(cell):
        raise BadCell("is not a number.")
    return Decimal(format(cell, ".15g")) if isinstance(cell, float) else Decimal(cell)


def write_number(amount: Decimal) -> str:
    """A number as text that reads in one way only: 1.2340 where 1.234 could also be one thousand and more."""
    text = format(amount.normalize(), "f")
    return f"{text}0" if len(text.partition(POINT)[2]) == 3 else text


def read_number(cell: Cell, *, decimal_sign: str = "") -> Decimal | None:
    """A number, None where the cell is empty. `decimal_sign` is what the person said of the file."""
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return plain_number(cell)
    text = read_text(cell)
    if not text:
        return None
    readings = list_readings(text, (decimal_sign,) if decimal_sign else (POINT, COMMA))
    if not readings:
        raise BadCell(f"“{text[:SHOWN]}” is not a number.")
    if len(readings) > 1:
        both = " or ".join(write_number(one) for one in readings)
        raise BadCell(f"“{text[:SHOWN]}” could be {both}. Say which sign the file has before decimals.")
    return readings[0]


def list_readings(text: str, signs: tuple[str, ...]) -> list[Decimal]:
    """What a number can mean, if one of these signs comes before its decimals."""
    plain = re.sub("[\u00a0\u202f\u2009]", " ", text).replace("’", "'")
    if len(plain) > LONGEST_NUMBER or not plain.isascii():
        return []
    found: set[Decimal] = set()
    for sign in signs:
        decimals = rf"(?:{re.escape(sign)}\d+)?"
        if re.fullmatch(rf"-?\d+{decimals}", plain):
            found.add(Decimal(plain.replace(sign, POINT)))
        for group in (mark for mark in ",. '" if mark != sign):
            if re.fullmatch(rf"-?[1-9]\d{{0,2}}(?:{re.escape(group)}\d{{3}})+{decimals}", plain):
                found.add(Decimal(plain.replace(group, "").replace(sign, POINT)))
    return sorted(found, reverse=True)


def read_whole(cell: Cell, *, decimal_sign: str = "") -> int | None:
    """A whole number that is not negative, None where the cell is empty."""
    amount = read_number(cell, decimal_sign=decimal_sign)
    if amount is None:
        return None
    if amount < 0:
        raise BadCell(f"is negative: {write_number(amount)}.")
    if amount != amount.to_integral_value():
        raise BadCell(f"is not a whole number: {write_number(amount)}.")
    return int(amount)


def read_day(cell: Cell, *, order: str | None = "") -> date | None:
    """A day, None where the cell is empty. `order` says what comes first in 03/04/2026, None: nobody is asked that."""
    text = read_text(cell)
    if not text:
        return None
    day = _typed_day(cell) or _parse_day(text, order)
    if not EARLIEST <= day <= LATEST:
        raise BadCell(f"“{text[:SHOWN]}” is not in this century or the last.")
    return day


def read_last_day(cell: Cell, *, order: str | None = "") -> date | None:
    """As `read_day`, and None also where a source system writes a day for none, such as 9999-12-31."""
    text = _without_time(read_text(cell))
    if NO_DAY.fullmatch(re.sub(r"[-/.]", "", text)):
        return None
    year = re.search(r"\d{4}", text, re.ASCII)
    if not year or int(year[0]) not in FAR_YEARS:
        return read_day(cell, order=order)
    if not _typed_day(cell):
        _parse_day(text, order or find_order(text) or DAY_FIRST)  # it has to be one of the calendar all the same
    return None


def find_order(text: str) -> str | None:
    """What comes first in a date such as 31/03/2026; empty: either could, None: it can be read in one way only."""
    found = SLASHED.fullmatch(_without_time(text))
    if not found:
        return None
    first, second = int(found[1]), int(found[2])
    if first == second:
        return None
    return DAY_FIRST if first > 12 else MONTH_FIRST if second > 12 else ""


def _typed_day(cell: Cell) -> date | None:
    return cell.date() if isinstance(cell, datetime) else cell if isinstance(cell, date) else None


def _without_time(text: str) -> str:
    for times in (MIDNIGHT, CLOCK):
        if (found := times.search(text)) and found.end() == len(text):
            return text[: found.start()]
    return text


def _parse_day(whole: str, order: str | None) -> date:
    text = _without_time(whole)
    try:
        if found := ISO.fullmatch(text):
            return date(int(found[1]), int(found[3]), int(found[4]))
        if found := DOTTED.fullmatch(text):
            return date(int(found[3]), int(found[2]), int(found[1]))
        if found := SLASHED.fullmatch(text):
            return _parse_slashed(int(found[1]), int(found[2]), int(found[3]), order)
        if (found := NAMED.fullmatch(text)) and (month := month_names.find(found[2])):
            return date(int(found[3]), month, int(found[1]))
        if (found := NAMED_FIRST.fullmatch(text)) and (month := month_names.find(found[1])):
            return date(int(found[3]), month, int(found[2]))
    except BadCell as problem:
        raise BadCell(f"“{text[:SHOWN]}”{problem}") from None
    except ValueError:
        raise BadCell(f"“{text[:SHOWN]}” is not a date of the calendar.") from None
    raise BadCell(f"“{text[:SHOWN]}” is not a date such as 2026-03-31.")


def _parse_slashed(first: int, second: int, year: int, order: str | None) -> date:
    if not order and first != second:
        told = ": say whether the day or the month comes first in this file."
        raise BadCell(" is not a date such as 2026-03-31." if order is None else told)
    day, month = (first, second) if order != MONTH_FIRST else (second, first)
    return date(year, month, day)


def read_yes(cell: Cell) -> bool:
    """A truth value. An empty cell is no."""
    text = read_text(cell).lower()
    if text not in YES | NO:
        raise BadCell(f"“{text[:SHOWN]}” is neither yes nor no.")
    return text in YES
