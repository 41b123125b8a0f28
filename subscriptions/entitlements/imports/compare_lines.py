"""The lines of a file beside what is recorded: software models, renewals, owners, the same again, and overlaps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.contrib.auth.models import User
from django.db.models import F

from samsaas.lib.text_forms import clean_text
from subscriptions.entitlements import words
from subscriptions.entitlements.check import NOT_LATER, OTHER_MODEL, RENEWED, last_day
from subscriptions.entitlements.columns import (
    CURRENCY,
    EDITION,
    END,
    OWNER,
    PRODUCT,
    PUBLISHER,
    RENEWS,
    RIGHTS,
    START,
    UNLIMITED,
)
from subscriptions.entitlements.imports.parse_line import BadLine
from subscriptions.entitlements.number_field import NUMBER
from subscriptions.entitlements.terms import ONE_DAY, Book, is_ever_in_force
from subscriptions.models import Entitlement, SoftwareModel

Name = tuple[str, str, str]
Identity = tuple[Any, ...]


def name_of(parts: Iterable[str]) -> Name:
    """Publisher, product and edition as they are compared: without regard to case."""
    publisher, product, edition = (clean_text(part).casefold() for part in parts)
    return publisher, product, edition


def name_model(values: Mapping[str, Any]) -> str:
    """A software model as it is shown, from the cells or values of a line."""
    parts = {part: str(values.get(part, "")).strip() for part in (PUBLISHER, PRODUCT, EDITION)}
    return str(SoftwareModel(**parts))


def identify(name: Name, part_number: str, start: date, rights: int, unlimited: bool, invoice: str) -> Identity:
    """Two entitlements with the same identity are the same one, recorded twice."""
    return name, part_number.casefold(), start, rights, unlimited, invoice.casefold()


@dataclass
class Term:
    """A term of a software model, with the words for it: another entitlement, or a line of the file."""

    start: date
    end: date
    label: str
    currency: str
    line: int = 0
    number: int | None = None
    renews: int | None = None


@dataclass
class Records:
    """What is recorded, as far as the lines of a file are compared with it, and what earlier lines said."""

    models: dict[Name, int]
    same: dict[Identity, str]
    renewable: dict[int, Entitlement]
    renewed: set[int]
    owners: dict[str, int]
    seen: dict[Identity, int] = field(default_factory=dict)
    terms: dict[Name, list[Term]] = field(default_factory=dict)
    missing: dict[Name, str] = field(default_factory=dict)

    @classmethod
    def read(cls) -> Records:
        """Everything that lines can refer to, in a handful of queries."""
        models: dict[Name, int] = {}
        for pk, *parts in SoftwareModel.objects.order_by("-pk").values_list("pk", *SoftwareModel.PARTS):
            models[name_of(parts)] = pk
        every = list(Entitlement.objects.select_related("software_model"))
        same = {_identity_of(one): one.number for one in reversed(every)}
        void = Entitlement.objects.filter(retired_on__lte=F("start"))
        taken: Any = Entitlement.objects.exclude(renews=None).exclude(pk__in=void.values("pk"))
        owners = User.objects.filter(is_active=True).values_list("username", "pk")
        records = cls(
            models, same, {one.pk: one for one in every}, set(taken.values_list("renews", flat=True)), dict(owners)
        )
        book = Book(every)
        for one in every:
            if is_ever_in_force(one):
                records._note_term(name_of(one.software_model.parts), _term_of(one, book))
        return records

    def accept_line(self, line: int, values: dict[str, Any]) -> str:
        """Complete the values with the keys of what they refer to.

        Returns the number of the entitlement that says the same, empty for a new one. Raises `BadLine`.
        """
        name = name_of((values[PUBLISHER], values[PRODUCT], values.get(EDITION, "")))
        identity = identify(
            name,
            values.get("publisher_part_number", ""),
            values[START],
            values[RIGHTS],
            bool(values.get(UNLIMITED)),
            values.get("invoice", ""),
        )
        if identity in self.same:
            return self.same[identity]
        if identity in self.seen:
            raise BadLine(f"Line {self.seen[identity]} says the same. If it was bought twice, the invoices differ.")
        values["software_model"] = self.models.get(name)
        values["renewed"] = self._find_renewed(values)
        values["owner_account"] = self._find_owner(values.get(OWNER, ""))
        self.seen[identity] = line
        if values["renewed"]:
            self.renewed.add(values["renewed"])
        if values["software_model"] is None:
            self.missing.setdefault(name, name_model(values))
        self._note_term(name, _term_of_line(line, values))
        return ""

    def _find_renewed(self, values: Mapping[str, Any]) -> int | None:
        text = values.get(RENEWS, "")
        if not text:
            return None
        found = NUMBER.fullmatch(text)
        before = self.renewable.get(int(found[1])) if found else None
        if before is None:
            raise BadLine(f"Renews “{text}” is not the number of an entitlement.")
        if before.software_model_id != values["software_model"]:
            raise BadLine(f"Renews {before.number}: {OTHER_MODEL}")
        if before.start >= values[START]:
            raise BadLine(f"Renews {before.number}: {NOT_LATER}")
        if before.pk in self.renewed:
            raise BadLine(f"Renews {before.number}: {RENEWED}")
        return before.pk

    def _find_owner(self, username: str) -> int | None:
        if username and username not in self.owners:
            raise BadLine(f"Owner “{username[:40]}” is not the user name of an account here.")
        return self.owners.get(username)

    def _note_term(self, name: Name, term: Term) -> None:
        self.terms.setdefault(name, []).append(term)

    def list_notes(self) -> dict[int, str]:
        """By line: what a person should look at. Rights of terms that overlap add up; currencies are never added."""
        notes: dict[int, str] = {}
        for terms in self.terms.values():
            _end_renewed(terms)
            _note_overlaps(terms, notes)
            _note_currencies(terms, notes)
        return notes


def _note_overlaps(terms: list[Term], notes: dict[int, str]) -> None:
    """Each line with a term that began earlier and reaches into it. One pass: only the longest one is named."""
    longest: Term | None = None
    for term in sorted(terms, key=lambda one: (one.start, one.line)):
        is_beside = longest is not None and longest.end >= term.start and not _is_link(longest, term)
        if term.line and longest and is_beside:
            notes[term.line] = (
                f"Its term overlaps with {longest.label}, so the rights of both add up. If it renews that one, say so."
            )
        if longest is None or term.end > longest.end:
            longest = term


def _is_link(before: Term, after: Term) -> bool:
    """Whether a renewal takes the place of the earlier one, so that their rights do not add up."""
    return before.number is not None and before.number == after.renews


def _end_renewed(terms: list[Term]) -> None:
    """What a line of the file renews counts up to the day before."""
    starts = {term.renews: term.start for term in terms if term.line and term.renews}
    for term in terms:
        if term.number in starts:
            term.end = min(term.end, starts[term.number] - ONE_DAY)


def _note_currencies(terms: list[Term], notes: dict[int, str]) -> None:
    used = {term.currency for term in terms if term.currency}
    if len(used) < 2:
        return
    for term in terms:
        others = sorted(used - {term.currency})
        if term.line and term.currency:
            note = f"Other entitlements of it are in {', '.join(others)}. Amounts of two currencies are never added."
            notes[term.line] = f"{notes.get(term.line, '')} {note}".strip()


def _identity_of(one: Entitlement) -> Identity:
    name = name_of(one.software_model.parts)
    return identify(name, one.publisher_part_number, one.start, one.purchased_rights, one.unlimited, one.invoice)


def _term_of(one: Entitlement, book: Book) -> Term:
    label = f"{one.number} ({words.write_term(one)})"
    return Term(one.start, last_day(one, book), label, one.currency, number=one.pk, renews=one.renews_id)


def _term_of_line(line: int, values: Mapping[str, Any]) -> Term:
    end = values.get(END) or date.max
    return Term(values[START], end, f"line {line}", values[CURRENCY], line=line, renews=values["renewed"])
