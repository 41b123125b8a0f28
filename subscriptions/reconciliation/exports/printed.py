"""The lines of the page to print: fewer columns than a file has, and each product above its software models."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from subscriptions.models import ComplianceStatus
from subscriptions.reconciliation.exports import columns, rows

COUNTS = ("owned", "in_use", "allocated_not_in_use", "used", "available", "needed")
MONEY = ("price", "true_up", "over_licensed", "potential_savings", "annual_spend")
NO_FIGURE = "–"


@dataclass(frozen=True)
class PrintedLine:
    """One line: its name, the kind of row, its status with its label, and the figures in the order of the headings."""

    name: str
    kind: str
    status: str
    status_label: str
    figures: list[str] = field(default_factory=list)

    @property
    def is_sum(self) -> bool:
        return self.kind != rows.RESULT


def list_headings() -> list[str]:
    """The headings of the figures."""
    return [columns.HEADINGS[name] for name in (*COUNTS, *MONEY)]


def list_lines(content: dict[str, Any]) -> Iterator[PrintedLine]:
    """The software models below their products, and the total at the end."""
    sums = list(rows.list_sums(content))
    shown = {(one["publisher"], one["product"]): one for kind, one in sums if kind == rows.PRODUCT}
    last = None
    for result in sorted(content["results"], key=lambda one: one["model"]):
        publisher, product, edition = result["model"]
        words = (publisher, product)
        if words != last and words in shown:
            yield _line(f"{publisher} {product}", rows.PRODUCT, shown[words])
        last = words
        name = edition or product
        yield _line(name if words in shown else f"{publisher} {product} {edition}".strip(), rows.RESULT, result)
    for kind, one in sums:
        if kind == rows.TOTAL:
            yield _line(rows.TOTAL, kind, one)


def _line(name: str, kind: str, row: dict[str, Any]) -> PrintedLine:
    label = dict(ComplianceStatus.choices).get(row["status"], row["status"])
    figures = [_write_figure(row, name) for name in (*COUNTS, *MONEY)]
    return PrintedLine(name, kind, row["status"], label, figures)


def _write_figure(row: dict[str, Any], name: str) -> str:
    if name not in row:
        return NO_FIGURE
    value = row[name]
    if name == "owned" and row["unlimited"]:
        return f"{columns.UNLIMITED} and {value:,}" if value else columns.UNLIMITED
    if isinstance(value, dict):
        amounts = (f"{currency} {Decimal(value[currency]):,f}" for currency in sorted(value))
        return ", ".join(amounts) or NO_FIGURE
    if name in columns.AMOUNTS:
        return columns.NOT_KNOWN if value is None else _write_money(row["currency"], value)
    return columns.UNLIMITED if value is None else f"{value:,}"


def _write_money(currency: str, amount: str) -> str:
    """The amount with the digits that are stored; four of a price, of which the last ones are mostly 0."""
    whole, _, decimals = f"{Decimal(amount):,f}".partition(".")
    shown = decimals.rstrip("0").ljust(2, "0")
    return f"{currency} {whole}.{shown}"
