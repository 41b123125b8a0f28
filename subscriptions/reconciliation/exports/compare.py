"""What differs from what was signed, in sentences: in the rows of a file, and in the stored results."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from samsaas.lib import csv_export
from samsaas.lib.spreadsheets.sheet import printable_heading
from subscriptions.reconciliation.exports import columns, rows
from subscriptions.reconciliation.exports.read_file import ReadFile
from subscriptions.reconciliation.exports.signed_position import SignedPosition

EMPTY = "empty"
KEY = 5  # the first cells of a row of figures say whose they are
PARTS = {"question": "The question", "inputs": "The inputs", "figures": "The totals"}


def compare_file(found: ReadFile, position: SignedPosition) -> Iterator[str]:
    """What was changed in a file, row by row. A row whose name was changed is one too many and one missing."""
    wanted = [printable_heading(heading) for heading in columns.HEADER]
    if found.headings != wanted:
        yield "The headings of the file were changed."
    signed = [_write_texts(row) for row in rows.figure_rows(position.content)]
    yield from _compare_rows(found.figures, signed, KEY, columns.HEADER[KEY:])
    about = [_write_texts(row) for row in rows.about_rows(position)]
    yield from _compare_rows(found.about, about, 2, ("it",))


def compare_stored(signed: Mapping[str, Any], stored: Mapping[str, Any]) -> Iterator[str]:
    """What of the stored results is not as it was signed."""
    for part, label in PARTS.items():
        yield from _compare_values(label, signed[part], stored[part])
    if signed["number"] != stored["number"]:
        yield f"The number was {signed['number']} when it was signed, and is {stored['number']}."
    for part in ("products", "results"):
        yield from _compare_named(_by_name(signed[part]), _by_name(stored[part]))


def _write_texts(row: Sequence[Any]) -> list[str]:
    """The cells as a reader of the file finds them."""
    return [csv_export.plain_cell(csv_export.safe_cell(cell)) for cell in row]


def _compare_rows(
    found: Iterable[Sequence[str]], signed: Iterable[Sequence[str]], key: int, headings: Sequence[str]
) -> Iterator[str]:
    there: dict[tuple[str, ...], Sequence[str]] = {}
    for row in found:
        name = tuple(cell.strip() for cell in row[:key])
        if name in there:
            yield f"{_name_row(name)} is there twice."
        there[name] = row[key:]
    for row in signed:
        name = tuple(cell.strip() for cell in row[:key])
        if name not in there:
            yield f"{_name_row(name)} was taken out."
            continue
        cells = [*there.pop(name), *[""] * len(headings)]
        for heading, before, now in zip(headings, row[key:], cells, strict=False):
            if not _is_same(before, now):
                yield f"{_name_row(name)}: {heading} is {now.strip() or EMPTY}. Signed was {before or EMPTY}."
        if any(cell.strip() for cell in cells[len(headings) :]):
            yield f"{_name_row(name)} has a cell too many."
    for name in there:
        yield f"{_name_row(name)} was added."


def _name_row(name: Sequence[str]) -> str:
    return " | ".join(part for part in name if part) or "A row without a name"


def _is_same(before: str, now: str) -> bool:
    """Whether two cells say the same. Programs write the same number in several ways."""
    if before.strip() == now.strip():
        return True
    try:
        return Decimal(before) == Decimal(now)
    except InvalidOperation:
        return False


def _by_name(items: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Results and products by their words. Two of the same words are told apart by their place."""
    found: dict[str, Mapping[str, Any]] = {}
    for one in items:
        words = one["model"] if "model" in one else [rows.PRODUCT, one["publisher"], one["product"]]
        name = _name_row(words)
        found[name if name not in found else f"{name} ({len(found)})"] = one
    return found


def _compare_named(signed: Mapping[str, Any], stored: Mapping[str, Any]) -> Iterator[str]:
    for name, one in signed.items():
        if name in stored:
            yield from _compare_values(name, one, stored[name])
        else:
            yield f"{name} was deleted."
    for name in stored.keys() - signed.keys():
        yield f"{name} was added."


def _compare_values(name: str, signed: Any, stored: Any) -> Iterator[str]:
    """The smallest parts that differ. `name` says where they are."""
    if isinstance(signed, dict) and isinstance(stored, dict):
        for key in sorted(signed.keys() | stored.keys()):
            if signed.get(key) != stored.get(key):
                yield from _compare_values(f"{name}: {_label(key)}", signed.get(key), stored.get(key))
    elif isinstance(signed, list) and isinstance(stored, list) and len(signed) == len(stored):
        for place, (before, now) in enumerate(zip(signed, stored, strict=True), start=1):
            yield from _compare_values(f"{name}, no. {place}", before, now)
    elif signed != stored:
        yield f"{name} is {_show(stored)}. Signed was {_show(signed)}."


def _label(key: str) -> str:
    return columns.HEADINGS.get(key, key.replace("_", " "))


def _show(value: Any) -> str:
    return EMPTY if value in (None, "", [], {}) else str(value)
