"""Every table that holds something about a person, and what erasing does with it, and why.

The order counts: what refers to other rows comes before them. `tests/samsaas/personal_data` holds that no table that
leads to a person, a subscription or a candidate is missing here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db.models import Q, QuerySet

from reclamation.models import (
    Approval,
    BackTestFinding,
    CandidateNote,
    Exemption,
    KeepAnswer,
    Notice,
    Observation,
    RemovalAttempt,
    RemovalCandidate,
    SavingsEntry,
    StateChange,
)
from samsaas.models import AuditEntry, Mail, ReportRecipient
from samsaas.personal_data.traces import Traces
from subscriptions.models import (
    ActivityDay,
    Allocation,
    FormerAddress,
    LastActivity,
    Match,
    Person,
    PersonAddress,
    PersonImportOverlap,
    PersonImportRow,
    PersonImportSeat,
    SeatResult,
    Subscription,
    SubscriptionVersion,
    UserExclusion,
)
from subscriptions.people import pseudonym

PROOF = "It proves why and how an account was removed, which cannot be found out again."


class Fate(StrEnum):
    DELETED = "Will be deleted"
    REPLACED = "Will be made nameless"
    STAYS = "Will be kept"


@dataclass(frozen=True)
class DataPlace:
    """Rows of one table about the person. `replace` writes over what names them; without it the record itself goes."""

    name: str
    fate: Fate
    rows: QuerySet[Any]
    why: str = ""
    replace: Callable[[QuerySet[Any]], Any] | None = None


def find(traces: Traces) -> list[DataPlace]:
    """All places, in the order in which they are erased."""
    return [*_of_directory(traces), *_of_candidates(traces), *_of_seats(traces), _person(traces), *_of_records(traces)]


def alias(person: Person) -> str:
    """What stands where the person's name stood."""
    return f"{pseudonym.NAME}{person.pk}"


def _person(traces: Traces) -> DataPlace:
    rows, person = Person.objects.filter(pk=traces.person.pk), traces.person
    if person.allocations.exists():
        why = "Rights were allocated to the person, and positions of past days count them. The record’s number stays."
        return DataPlace("Person", Fate.REPLACED, rows, why)
    return DataPlace("Person", Fate.DELETED, rows)


def _of_directory(traces: Traces) -> Iterator[DataPlace]:
    person, deleted = traces.person, Fate.DELETED
    yield DataPlace("E-mail addresses", deleted, PersonAddress.objects.filter(person=person))
    yield DataPlace("Former e-mail addresses", deleted, FormerAddress.objects.filter(person=person))
    yield DataPlace(
        "Exemptions", deleted, Exemption.objects.filter(Q(person=person) | Q(subscription__in=traces.ended))
    )
    in_file = PersonImportRow.objects.filter(key=person.key)
    yield DataPlace("Lines of imported files", deleted, in_file)
    named = Q(key=person.key) | Q(text__in=traces.addresses) | Q(text=person.key)
    yield DataPlace("Doubts about imported lines", deleted, PersonImportOverlap.objects.filter(named))
    shown = Q(before_key=person.key) | Q(after_key=person.key) | Q(subscription__in=traces.ended)
    yield DataPlace("Subscriptions in previews of files", deleted, PersonImportSeat.objects.filter(shown))
    subscribed = ReportRecipient.objects.filter(address__in=traces.addresses)
    yield DataPlace("Recipients of reports", deleted, subscribed)
    reports = Person.objects.filter(manager=person.key).exclude(pk=person.pk)
    why = "They lose the employee number of their manager."
    yield DataPlace("Direct reports", Fate.REPLACED, reports, why, lambda rows: rows.update(manager=""))


def _of_candidates(traces: Traces) -> Iterator[DataPlace]:
    """What led to no removal goes; what proves one stays."""
    others, mails = traces.candidates - traces.proofs, traces.mails - traces.proving
    why = "No account was removed after them. The history of their states keeps its days."
    yield DataPlace("Notices", Fate.DELETED, Notice.objects.filter(Q(candidate__in=others) | Q(mail__in=mails)))
    yield DataPlace("Mails", Fate.DELETED, Mail.objects.filter(pk__in=mails))
    yield DataPlace("Answers", Fate.DELETED, KeepAnswer.objects.filter(candidate__in=others))
    yield DataPlace("Notes on candidates", Fate.DELETED, CandidateNote.objects.filter(candidate__in=others))
    approvals = Approval.objects.filter(candidate__in=others)
    remark = "Who approved stays, without the remark."
    yield DataPlace("Approvals", Fate.REPLACED, approvals, remark, lambda rows: rows.update(note=""))
    attempts = RemovalAttempt.objects.filter(candidate__in=others)
    yield DataPlace("Dry runs", Fate.REPLACED, attempts, why, _clear_attempts)
    candidates, name = RemovalCandidate.objects.filter(pk__in=others), alias(traces.person)
    yield DataPlace("Removal candidates", Fate.REPLACED, candidates, why, lambda rows: _clear_candidates(rows, name))
    yield from _proofs(traces)


def _clear_attempts(rows: QuerySet[Any]) -> None:
    rows.update(email="", error_message="", error_body="")


def _clear_candidates(rows: QuerySet[Any], name: str) -> None:
    rows.update(display_name=name, person_name=name, email="", person_key="", note="", attention="", hold_text="")


def _clear_seats(rows: QuerySet[Any], name: str) -> None:
    rows.update(display_name=name, given_name="", surname="", email="", email_verified=False, secondary_emails="")
    rows.update(account_id="", employee_id="", roles="")


def _proofs(traces: Traces) -> Iterator[DataPlace]:
    stays, held = Fate.STAYS, {"candidate__in": traces.proofs}
    removed = RemovalCandidate.objects.filter(pk__in=traces.proofs)
    yield DataPlace("Candidates whose account was removed", stays, removed, PROOF)
    yield DataPlace("Attempts to remove an account", stays, RemovalAttempt.objects.filter(**held), PROOF)
    yield DataPlace("Notices about a removal", stays, Notice.objects.filter(**held), PROOF)
    why = f"{PROOF} They are deleted when they are old enough."
    yield DataPlace("Mails about a removal", stays, Mail.objects.filter(pk__in=traces.proving), why)
    yield DataPlace("Answers before a removal", stays, KeepAnswer.objects.filter(**held), PROOF)
    yield DataPlace("Approvals of a removal", stays, Approval.objects.filter(**held), PROOF)
    yield DataPlace("Notes on removals", stays, CandidateNote.objects.filter(**held), PROOF)
    why = "What became of a candidate when; it is never edited."
    yield DataPlace("States of candidates", stays, StateChange.objects.filter(candidate__in=traces.candidates), why)
    why = "The ledger counts what was saved. It does not name the person any more."
    yield DataPlace("Savings", stays, SavingsEntry.objects.filter(candidate__in=traces.candidates), why)


def _of_seats(traces: Traces) -> Iterator[DataPlace]:
    ended, listed = {"subscription__in": traces.ended}, {"subscription__in": traces.listed}
    yield DataPlace("Days of use of ended subscriptions", Fate.DELETED, ActivityDay.objects.filter(**ended))
    yield DataPlace("Last activity of ended subscriptions", Fate.DELETED, LastActivity.objects.filter(**ended))
    in_results = SeatResult.objects.filter(Q(person=traces.person) | Q(subscription__in=traces.ended))
    name, counted = alias(traces.person), "Positions of past days count them."
    yield DataPlace(
        "Subscriptions in positions",
        Fate.REPLACED,
        in_results,
        counted,
        lambda rows: rows.update(person_name=name, seat_name=name),
    )
    why = f"{counted} The vendor’s id stays, so that one that returns is recognized."
    gone = Subscription.objects.filter(pk__in=traces.ended)
    yield DataPlace("Ended subscriptions", Fate.REPLACED, gone, why, lambda rows: _clear_seats(rows, name))
    why = "The vendor lists the account, so the next download would bring it again. Remove it at the vendor first."
    yield DataPlace("Listed subscriptions", Fate.STAYS, Subscription.objects.filter(pk__in=traces.listed), why)
    protects = Exemption.objects.filter(person=None, **listed)
    yield DataPlace(
        "Exemptions of listed subscriptions", Fate.STAYS, protects, "They keep the subscription from removal."
    )
    yield DataPlace("Days of use of listed subscriptions", Fate.STAYS, ActivityDay.objects.filter(**listed), why)
    yield DataPlace("Last activity of listed subscriptions", Fate.STAYS, LastActivity.objects.filter(**listed), why)
    yield DataPlace("Matches", Fate.DELETED, Match.objects.filter(person=traces.person))
    why = "They count days of a subscription and name nobody."
    of_seats = {"subscription__in": traces.seats}
    yield DataPlace("Former values of subscriptions", Fate.STAYS, SubscriptionVersion.objects.filter(**of_seats), why)
    yield DataPlace("Findings of observing rules", Fate.STAYS, Observation.objects.filter(**of_seats), why)
    yield DataPlace("Findings of back-tests", Fate.STAYS, BackTestFinding.objects.filter(**of_seats), why)


def _of_records(traces: Traces) -> Iterator[DataPlace]:
    why = "They belong to the record that is made nameless, and positions of past days count them."
    yield DataPlace("Allocated rights", Fate.STAYS, Allocation.objects.filter(person=traces.person), why)
    why = "A rule excludes this address. Delete the rule if it is not needed."
    yield DataPlace("Exclusion rules", Fate.STAYS, UserExclusion.objects.filter(pattern__in=traces.addresses), why)
    why = "The trail is a sealed chain, so entries leave it only from the oldest on (purge_audit)."
    about = Q(object_type="Person", object_id=str(traces.person.pk))
    yield DataPlace("Entries of the audit trail", Fate.STAYS, AuditEntry.objects.filter(about), why)
