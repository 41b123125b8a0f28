"""The columns of an exported position, and how a figure of the signed text becomes a cell.

What is not known is said in words, never as 0. Amounts of several currencies stand side by side.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from subscriptions.entitlements import price
from subscriptions.models import ComplianceStatus, Entitlement

NOT_KNOWN, UNLIMITED = "not known", "unlimited"
AMOUNTS = {"price", "true_up", "over_licensed", "potential_savings"}
FLAGS = {
    price.OVERRIDE: "The price is the override of the software model.",
    price.MIXED_CURRENCY: "Rights were bought in several currencies; the one with most rights gives the price.",
    price.NO_PRICE: "There is no price.",
    price.WITHOUT_PRICE: "An entitlement has no known cost and is not in the price.",
}


@dataclass(frozen=True)
class ExportColumn:
    """One column: its heading, and the name of the figure in the signed text."""

    heading: str
    name: str


ROW = "Row"
WORDS = (
    ExportColumn("Publisher", "publisher"),
    ExportColumn("Product", "product"),
    ExportColumn("Edition", "edition"),
    ExportColumn("License metric", "metric"),
)
FIGURES = (
    ExportColumn("Status", "status"),
    ExportColumn("Rights owned", "owned"),
    ExportColumn("Unlimited license", "unlimited"),
    ExportColumn("In use", "in_use"),
    ExportColumn("Without user", "without_user"),
    ExportColumn("Of leavers", "of_leavers"),
    ExportColumn("Allocated", "allocated"),
    ExportColumn("Allocated, in use", "allocated_in_use"),
    ExportColumn("Allocated, not in use", "allocated_not_in_use"),
    ExportColumn("In use, not allocated", "not_allocated_in_use"),
    ExportColumn("Rights used", "used"),
    ExportColumn("Rights available", "available"),
    ExportColumn("Rights needed", "needed"),
    ExportColumn("Not covered", "unlicensed"),
    ExportColumn("Excluded, but billed", "excluded"),
    ExportColumn("Price of a right and a year", "price"),
    ExportColumn("Currency", "currency"),
    ExportColumn("True-up cost", "true_up"),
    ExportColumn("Over-licensed amount", "over_licensed"),
    ExportColumn("Open candidates", "open_candidates"),
    ExportColumn("Potential savings", "potential_savings"),
    ExportColumn("Annual spend", "annual_spend"),
    ExportColumn("Latest end", "ends_on"),
    ExportColumn("Notes", "notes"),
)
HEADER = (ROW, *(column.heading for column in WORDS), *(column.heading for column in FIGURES))
HEADINGS = {column.name: column.heading for column in (*WORDS, *FIGURES)}


def write_cells(row: Mapping[str, Any]) -> list[Any]:
    """The cells of a row of figures. A figure that its tier does not have is an empty cell."""
    return [_write_cell(row, column.name) for column in (*WORDS, *FIGURES)]


def write_amounts(amounts: Mapping[str, str]) -> str:
    """Amounts by currency, such as `EUR 330.00, USD 20.00`."""
    return ", ".join(f"{currency} {amounts[currency]}" for currency in sorted(amounts))


def _write_cell(row: Mapping[str, Any], name: str) -> Any:
    if name == "notes":
        return _write_notes(row)
    if name not in row:
        return ""
    value = row[name]
    if isinstance(value, dict):
        return write_amounts(value)
    if name in AMOUNTS:
        return NOT_KNOWN if value is None else Decimal(value)
    if name == "available" and value is None:
        return UNLIMITED
    if name == "ends_on":
        return date.fromisoformat(value) if value else ""
    return _write_choice(name, value)


def _write_choice(name: str, value: Any) -> Any:
    """The label of a choice; any other value as it is."""
    choices: dict[str, Any] = {"status": ComplianceStatus, "metric": Entitlement.Metric}
    labels = dict(choices[name].choices) if name in choices else {}
    return labels.get(value, value)


def _write_notes(row: Mapping[str, Any]) -> str:
    notes = [FLAGS.get(flag, flag) for flag in row.get("flags", ())]
    if row.get("unpriced"):
        notes.append(f"{row['unpriced']} of {row['model_count']} software models have no price and are in no amount.")
    return " ".join(notes)
