"""The rows of an exported position, made of nothing but the text that was signed.

So a row that differs from them was changed after the export, and can be named.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from samsaas.lib.workbook_export import WrittenSheet
from subscriptions.models import PositionGroup
from subscriptions.reconciliation.exports import columns, signed_text
from subscriptions.reconciliation.exports.signed_position import SignedPosition

RESULT, PRODUCT, TOTAL, ABOUT = "License metric", "Product", "All products", "About"
POSITION_SHEET, ABOUT_SHEET, SIGNATURE_SHEET = "Position", "About", "Signature"
ABOUT_HEADER = (columns.ROW, "What", "Value")
ASIDE = {
    "excluded": "excluded",
    "no_license": "no license",
    "duplicate": "listed twice",
    "unrecognized": "unrecognized",
    "not_managed": "not managed",
}


def make_sheets(position: SignedPosition) -> list[WrittenSheet]:
    """The sheets of a workbook."""
    about, signature = list(about_rows(position)), list(signature_rows(position))
    return [
        WrittenSheet(POSITION_SHEET, columns.HEADER, figure_rows(position.content)),
        WrittenSheet(ABOUT_SHEET, ABOUT_HEADER, about),
        WrittenSheet(SIGNATURE_SHEET, ABOUT_HEADER, signature),
    ]


def make_lines(position: SignedPosition) -> Iterator[list[Any]]:
    """All rows as one table, as wide as its header; the first cell says what a row is."""
    for rows in (figure_rows(position.content), about_rows(position), signature_rows(position)):
        for row in rows:
            yield [*row, *[""] * (len(columns.HEADER) - len(row))]


def figure_rows(content: dict[str, Any]) -> Iterator[list[Any]]:
    """License metrics, then products, then the total."""
    for result in content["results"]:
        publisher, product, edition = result["model"]
        words = {"publisher": publisher, "product": product, "edition": edition}
        yield [RESULT, *columns.write_cells(words | result)]
    for kind, sums in list_sums(content):
        yield [kind, *columns.write_cells(sums)]


def list_sums(content: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The products and the total, as far as they are sums of the license metrics that stand above them.

    Of one software model there are none: its product is of other models, too. There is no total without a profile whose
    subscriptions of that day are not known.
    """
    if is_of_one_model(content["question"]):
        return
    yield from ((PRODUCT, one) for one in content["products"])
    if content["products"] and not content["inputs"]["unknown"]:
        yield TOTAL, content["figures"]["totals"]


def is_of_one_model(question: dict[str, Any]) -> bool:
    """Whether the question was about one software model."""
    return "/model-" in question["scope_key"]


def about_rows(position: SignedPosition) -> Iterator[list[Any]]:
    """What the figures are of, and how old the facts behind them are."""
    yield from ([ABOUT, what, value] for what, value in list_facts(position.content))


def signature_rows(position: SignedPosition) -> Iterator[list[Any]]:
    """The signature, and the signed text in pieces that fit into cells. They are what verifying begins with."""
    yield [signed_text.SIGNATURE, position.key_id, position.signature]
    yield from ([signed_text.CONTENT, place, piece] for place, piece in signed_text.split(position.text))


def list_facts(content: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What a reader has to know of a position: label and value, in plain words."""
    question, figures = content["question"], content["figures"]
    began = datetime.fromisoformat(question["started_at"])
    yield "Reconciliation", content["number"]
    yield "As of", f"the end of {question['question_date']}" if question["question_date"] else _write_moment(began)
    yield "Computed", f"{_write_moment(began)} to {_write_moment(datetime.fromisoformat(question['finished_at']))}"
    yield "About", _write_scope(question)
    if question["group"] != PositionGroup.NONE:
        yield "Divided by", _write_groups(question)
    yield "Subscriptions listed", str(figures["listed"])
    yield "Subscriptions counted", str(figures["counted"])
    aside = [f"{number} {ASIDE.get(kind, kind)}" for kind, number in figures["aside"].items() if number]
    yield "Aside", ", ".join(aside) or "none"
    yield from _list_inputs(content["inputs"], began)
    if question["problem"]:
        yield "Problem", question["problem"]


def _list_inputs(inputs: dict[str, Any], began: datetime) -> Iterator[tuple[str, str]]:
    for one in inputs["profiles"]:
        yield f"Input: {one['name']} (no. {one['id']})", _write_age(one, began)
    if inputs["unknown"]:
        yield "Not known, so no total is whole", ", ".join(inputs["unknown"])
    yield "Entitlements in force", str(inputs["entitlements"])
    if inputs["recorded_later"]:
        yield "Recorded after that day", ", ".join(inputs["recorded_later"])


def _write_age(profile: dict[str, Any], began: datetime) -> str:
    if not profile["refreshed_at"]:
        return "never refreshed"
    refreshed = datetime.fromisoformat(profile["refreshed_at"])
    hours, rest = divmod(max(0, int((began - refreshed).total_seconds())), 3600)
    return f"refreshed {_write_moment(refreshed)}, {hours} h {rest // 60} min before"


def _write_moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _write_scope(question: dict[str, Any]) -> str:
    if is_of_one_model(question):
        return "one software model"
    return ", ".join(question["publishers"]) or "all publishers"


def _write_groups(question: dict[str, Any]) -> str:
    labels = dict(PositionGroup.choices)
    chosen = [question["group"], question["subgroup"]]
    return ", then ".join(labels[one] for one in chosen if one != PositionGroup.NONE)
