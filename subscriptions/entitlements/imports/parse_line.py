"""A line of a file as the draft of an entitlement. What cannot be is refused with all reasons, in words for the reader.

The rules are those of the form: the same limits, and the same checks of term, cost and commitment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError

from samsaas.lib import money
from samsaas.lib.spreadsheets import cells as read_cells
from samsaas.lib.spreadsheets.cells import BadCell
from samsaas.lib.spreadsheets.sheet import Cell
from subscriptions.entitlements import words
from subscriptions.entitlements.check import NO_END, TOO_LARGE
from subscriptions.entitlements.columns import (
    BY_KEY,
    CURRENCY,
    EDITION,
    END,
    NOTES,
    OWNER,
    PERIOD,
    PRODUCT,
    PUBLISHER,
    RENEWS,
    RIGHTS,
    START,
    TEXTS,
    TOTAL_COST,
    UNIT_COST,
    UNLIMITED,
)
from subscriptions.entitlements.terms import yearly_cost
from subscriptions.models import Entitlement, SoftwareModel

LONGEST = {field.name: field.max_length or 0 for field in (*SoftwareModel._meta.fields, *Entitlement._meta.fields)}
WHOLE = {RIGHTS: 0, "notice_days": 30, "minimum_rights": 0}  # and what an empty cell means
NAMED = {  # choices by every text that means one
    "agreement_type": {str(label).lower(): value for value, label in Entitlement.Agreement.choices},
    PERIOD: {
        **{str(label).lower(): value for value, label in Entitlement.Period.choices},
        **dict.fromkeys(("month", "per month", "1 month"), Entitlement.Period.MONTHLY.value),
        **dict.fromkeys(("quarter", "per quarter", "3 months"), Entitlement.Period.QUARTERLY.value),
        **dict.fromkeys(("annual", "yearly", "year", "per year", "12 months"), Entitlement.Period.ANNUALLY.value),
        **dict.fromkeys(("entire", "term", "total", "once", "entire period"), Entitlement.Period.ENTIRE.value),
    },
}
FOREIGN = {"software_model", RENEWS, "profile", OWNER, "published_by", "created_by", "updated_by"}


@dataclass(frozen=True)
class FileWriting:
    """How the numbers and dates of a file are written, as far as a person had to say so."""

    decimal_sign: str = ""
    date_order: str = ""


class BadLine(ValueError):
    """A line that is refused. The text has every reason."""


def parse_line(cells: Mapping[str, Cell], writing: FileWriting) -> dict[str, Any]:
    """The values of a line by column. Raises `BadLine`. What needs other records is checked by `compare_lines`."""
    problems: list[str] = []
    values: dict[str, Any] = {}
    cells = _settle_unlimited(cells)
    for key, cell in cells.items():
        try:
            values[key] = _READERS[key](key, cell, writing)
        except BadCell as bad:
            problems.append(f"{BY_KEY[key].label} {bad}")
    problems += _missing_values(values, cells)
    if not problems:
        _settle_money(values, problems)
    if not problems:
        problems += _check_together(values)
    if problems:
        raise BadLine(" ".join(problems))
    return values


def _settle_unlimited(cells: Mapping[str, Cell]) -> dict[str, Cell]:
    """People write “unlimited” where the number of rights belongs. A file may also lack that column."""
    rights = read_cells.show_cell(cells.get(RIGHTS, "")).strip().lower()
    if rights in ("unlimited", "∞"):
        return {**cells, RIGHTS: "", UNLIMITED: "yes"}
    return {RIGHTS: "", **cells}


def make_draft(values: Mapping[str, Any]) -> Entitlement:
    """The draft of a line. Software model, renewed entitlement and owner are set by the caller."""
    apart = {PUBLISHER, PRODUCT, EDITION, RENEWS, OWNER}
    return Entitlement(**{key: value for key, value in values.items() if key not in apart})


def _read_text(key: str, cell: Cell, writing: FileWriting) -> str:
    text = read_cells.read_text(cell, lines=key == NOTES)
    if text.startswith("="):
        raise BadCell("is a formula. Replace it with its value.")
    if len(text) > LONGEST[key]:
        raise BadCell(f"is longer than {LONGEST[key]:,} letters.")
    return text


def _read_whole(key: str, cell: Cell, writing: FileWriting) -> int:
    count = read_cells.read_whole(cell, decimal_sign=writing.decimal_sign)
    return WHOLE[key] if count is None else count


def _read_day(key: str, cell: Cell, writing: FileWriting) -> date | None:
    return read_cells.read_day(cell, order=writing.date_order)


def _read_last_day(key: str, cell: Cell, writing: FileWriting) -> date | None:
    return read_cells.read_last_day(cell, order=writing.date_order)


def _read_yes(key: str, cell: Cell, writing: FileWriting) -> bool:
    return read_cells.read_yes(cell)


def _read_choice(key: str, cell: Cell, writing: FileWriting) -> str:
    text = read_cells.read_text(cell)
    if not text and key == "agreement_type":
        return Entitlement.Agreement.STANDARD.value
    found = NAMED[key].get(" ".join(text.lower().split()))
    if text and found is None:
        labels = ", ".join(str(label) for label in _labels(key))
        raise BadCell(f"“{text[:20]}” is none of {labels}.")
    return found or ""


def _labels(key: str) -> list[Any]:
    return list(Entitlement.Period.labels if key == PERIOD else Entitlement.Agreement.labels)


def _read_money(key: str, cell: Cell, writing: FileWriting) -> tuple[Decimal | None, str]:
    """An amount and its currency, if the cell says it: `EUR;200`, `EUR 200`, `200 EUR` or 200."""
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return _check_amount(read_cells.read_number(cell)), ""
    text = read_cells.read_text(cell)
    first, last = text[:3].upper(), text[-3:].upper()
    if first.isalpha() and first.isascii():
        return _check_amount(read_cells.read_number(text[3:].lstrip(" ;"), decimal_sign=writing.decimal_sign)), first
    if len(text) > 3 and last.isalpha() and last.isascii():
        return _check_amount(read_cells.read_number(text[:-3].rstrip(" ;"), decimal_sign=writing.decimal_sign)), last
    return _check_amount(read_cells.read_number(text, decimal_sign=writing.decimal_sign)), ""


def _check_amount(amount: Decimal | None) -> Decimal | None:
    if amount is None:
        return None
    if amount < 0:
        raise BadCell(f"is negative: {read_cells.write_number(amount)}.")
    if amount >= money.LARGEST:
        raise BadCell("is too large to be recorded.")
    if amount != amount.quantize(Decimal("0.0001")):
        raise BadCell(f"has more than four decimals: {read_cells.write_number(amount)}.")
    return amount


def _read_currency(key: str, cell: Cell, writing: FileWriting) -> str:
    code = read_cells.read_text(cell).upper()
    if code and code not in money.NAMES:
        raise BadCell(f"“{code[:20]}” is not a currency such as EUR.")
    return code


Reader = Callable[[str, Cell, FileWriting], Any]
_READERS: dict[str, Reader] = {
    **dict.fromkeys((*TEXTS, RENEWS), _read_text),
    **dict.fromkeys(WHOLE, _read_whole),
    START: _read_day,
    END: _read_last_day,
    **dict.fromkeys((UNLIMITED, "auto_renew"), _read_yes),
    **dict.fromkeys(NAMED, _read_choice),
    **dict.fromkeys((UNIT_COST, TOTAL_COST), _read_money),
    CURRENCY: _read_currency,
    OWNER: _read_text,
}
LONGEST[RENEWS], LONGEST[OWNER] = 24, 150


def _missing_values(values: Mapping[str, Any], cells: Mapping[str, Cell]) -> list[str]:
    missing = [BY_KEY[key].label for key in (PUBLISHER, PRODUCT, START, PERIOD) if key in values and not values[key]]
    found = [f"{label} is empty." for label in missing]
    if RIGHTS in values and not values.get(UNLIMITED) and not read_cells.show_cell(cells[RIGHTS]).strip():
        found.append("Purchased rights is empty, and Unlimited is not yes.")
    return found


def _settle_money(values: dict[str, Any], problems: list[str]) -> None:
    """One currency for the line: that of the column, or of its amounts. More than one is refused."""
    named = {CURRENCY: values.get(CURRENCY, "")}
    for key in (UNIT_COST, TOTAL_COST):
        if key in values:
            values[key], named[key] = values[key]
    currencies = sorted({code for code in named.values() if code})
    if bad := [code for code in currencies if code not in money.NAMES]:
        problems.append(f"“{bad[0]}” is not a currency such as EUR.")
    elif len(currencies) > 1:
        said = ", ".join(f"{BY_KEY[key].label} says {code}" for key, code in named.items() if code)
        problems.append(f"One entitlement has one currency: {said}.")
    has_cost = any(values.get(key) is not None for key in (UNIT_COST, TOTAL_COST))
    if has_cost and not currencies:
        problems.append("A cost needs its currency.")
    values[CURRENCY] = currencies[0] if has_cost and currencies else ""


def _check_together(values: Mapping[str, Any]) -> list[str]:
    """What the values say against each other, by the rules of the form."""
    start, end = values[START], values.get(END)
    if end and end < start:
        return [f"End date {words.write_day(end)} is before start date {words.write_day(start)}."]
    if values.get(UNLIMITED) and values[RIGHTS]:
        return ["An unlimited license has no number of rights."]
    if values.get("minimum_rights", 0) > values[RIGHTS]:
        return ["Commitment is more than the purchased rights."]
    if values[PERIOD] == Entitlement.Period.ENTIRE and end is None:
        return [NO_END]
    draft = make_draft(values)
    try:
        draft.clean_fields(exclude=FOREIGN)
    except ValidationError as refused:
        return [f"{words.LABELS.get(name, name)}: {' '.join(texts)}" for name, texts in refused.message_dict.items()]
    cost = yearly_cost(draft)
    return [TOO_LARGE] if cost is not None and cost >= money.LARGEST else []
