"""Every table that holds something about a person, and what erasing does with it, and why.

The order counts: what refers to other rows comes before them. `tests/samsaas/personal_data` holds that no table that
leads to a person, a subscription or a candidate is missing here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
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
class Place:
    """Rows of one table about the person. `changes` are the values that replace what names them."""

    name: str
    fate: Fate
    rows: QuerySet[Any]
    why: str = ""
    changes: Mapping[str, Any] = field(default_factory=dict)


def find(traces: Traces) -> list[Place]:
    """All places, in the order in which they are erased."""
    return [*_of_directory(traces), *_of_candidates(traces), *_of_seats(traces), _person(traces), *_of_records(traces)]


def alias(person: Person) -> str:
    """What stands where the person's name stood."""
    return f"{pseudonym.NAME}{person.pk}"


def _person(traces: Traces) -> Place:
    rows, person = Person.objects.filter(pk=traces.person.pk), traces.person
    if person.allocations.exists():
        why = "Rights were allocated to the person, and positions of past days count them. The record’s number stays."
        return Place("Person", Fate.REPLACED, rows, why)
    return Place("Person", Fate.DELETED, rows)


def _of_directory(traces: Traces) -> Iterator[Place]:
    person, deleted = traces.person, Fate.DELETED
    yield Place("E-mail addresses", deleted, PersonAddress.objects.filter(person=person))
    yield Place("Former e-mail addresses", deleted, FormerAddress.objects.filter(person=person))
    yield Place("Exemptions", deleted, Exemption.objects.filter(Q(person=person) | Q(subscription__in=traces.ended)))
    in_file = PersonImportRow.objects.filter(key=person.key)
    yield Place("Lines of imported files", deleted, in_file)
    named = Q(key=person.key) | Q(text__in=traces.addresses) | Q(text=person.key)
    yield Place("Doubts about imported lines", deleted, PersonImportOverlap.objects.filter(named))
    shown = Q(before_key=person.key) | Q(after_key=person.key) | Q(subscription__in=traces.ended)
    yield Place("Subscriptions in previews of files", deleted, PersonImportSeat.objects.filter(shown))
    subscribed = ReportRecipient.objects.filter(address__in=traces.addresses)
    yield Place("Recipients of reports", deleted, subscribed)
    reports = Person.objects.filter(manager=person.key).exclude(pk=person.pk)
    why = "They lose the employee number of their manager."
    yield Place("Direct reports", Fate.REPLACED, reports, why, {"manager": ""})


def _of_candidates(traces: Traces) -> Iterator[Place]:
    """What led to no removal goes; what proves one stays."""
    others, mails = traces.candidates - traces.proofs, traces.mails - traces.proving
    why = "No account was removed after them. The history of their states keeps its days."
    yield Place("Notices", Fate.DELETED, Notice.objects.filter(Q(candidate__in=others) | Q(mail__in=mails)))
    yield Place("Mails", Fate.DELETED, Mail.objects.filter(pk__in=mails))
    yield Place("Answers", Fate.DELETED, KeepAnswer.objects.filter(candidate__in=others))
    yield Place("Notes on candidates", Fate.DELETED, CandidateNote.objects.filter(candidate__in=others))
    approvals = Approval.objects.filter(candidate__in=others)
    yield Place("Approvals", Fate.REPLACED, approvals, "Who approved stays, without the remark.", {"note": ""})
    changes = {"display_name": alias(traces.person), "person_name": alias(traces.person)}
    changes |= dict.fromkeys(("email", "person_key", "note", "attention", "hold_text"), "")
    texts = dict.fromkeys(("email", "error_message", "error_body"), "")
    yield Place("Dry runs", Fate.REPLACED, RemovalAttempt.objects.filter(candidate__in=others), why, texts)
    yield Place("Removal candidates", Fate.REPLACED, RemovalCandidate.objects.filter(pk__in=others), why, changes)
    yield from _proofs(traces)


def _proofs(traces: Traces) -> Iterator[Place]:
    stays, held = Fate.STAYS, {"candidate__in": traces.proofs}
    removed = RemovalCandidate.objects.filter(pk__in=traces.proofs)
    yield Place("Candidates whose account was removed", stays, removed, PROOF)
    yield Place("Attempts to remove an account", stays, RemovalAttempt.objects.filter(**held), PROOF)
    yield Place("Notices about a removal", stays, Notice.objects.filter(**held), PROOF)
    why = f"{PROOF} They are deleted when they are old enough."
    yield Place("Mails about a removal", stays, Mail.objects.filter(pk__in=traces.proving), why)
    yield Place("Answers before a removal", stays, KeepAnswer.objects.filter(**held), PROOF)
    yield Place("Approvals of a removal", stays, Approval.objects.filter(**held), PROOF)
    yield Place("Notes on removals", stays, CandidateNote.objects.filter(**held), PROOF)
    why = "What became of a candidate when; it is never edited."
    yield Place("States of candidates", stays, StateChange.objects.filter(candidate__in=traces.candidates), why)
    why = "The ledger counts what was saved. It does not name the person any more."
    yield Place("Savings", stays, SavingsEntry.objects.filter(candidate__in=traces.candidates), why)


def _of_seats(traces: Traces) -> Iterator[Place]:
    ended, listed = {"subscription__in": traces.ended}, {"subscription__in": traces.listed}
    yield Place("Days of use of ended subscriptions", Fate.DELETED, ActivityDay.objects.filter(**ended))
    yield Place("Last activity of ended subscriptions", Fate.DELETED, LastActivity.objects.filter(**ended))
    in_results = SeatResult.objects.filter(Q(person=traces.person) | Q(subscription__in=traces.ended))
    names = {"person_name": alias(traces.person), "seat_name": alias(traces.person)}
    yield Place("Subscriptions in positions", Fate.REPLACED, in_results, "Positions of past days count them.", names)
    why = "Positions of past days count them. The vendor’s id stays, so that one that returns is recognized."
    changes = {"display_name": alias(traces.person), "email_verified": False}
    columns = ("email", "given_name", "surname", "account_id", "employee_id", "secondary_emails", "roles")
    changes |= dict.fromkeys(columns, "")
    yield Place("Ended subscriptions", Fate.REPLACED, Subscription.objects.filter(pk__in=traces.ended), why, changes)
    why = "The vendor lists the account, so the next download would bring it again. Remove it at the vendor first."
    yield Place("Listed subscriptions", Fate.STAYS, Subscription.objects.filter(pk__in=traces.listed), why)
    protects = Exemption.objects.filter(person=None, **listed)
    yield Place("Exemptions of listed subscriptions", Fate.STAYS, protects, "They keep the subscription from removal.")
    yield Place("Days of use of listed subscriptions", Fate.STAYS, ActivityDay.objects.filter(**listed), why)
    yield Place("Last activity of listed subscriptions", Fate.STAYS, LastActivity.objects.filter(**listed), why)
    yield Place("Matches", Fate.DELETED, Match.objects.filter(person=traces.person))
    why = "They count days of a subscription and name nobody."
    of_seats = {"subscription__in": traces.seats}
    yield Place("Former values of subscriptions", Fate.STAYS, SubscriptionVersion.objects.filter(**of_seats), why)
    yield Place("Findings of observing rules", Fate.STAYS, Observation.objects.filter(**of_seats), why)
    yield Place("Findings of back-tests", Fate.STAYS, BackTestFinding.objects.filter(**of_seats), why)


def _of_records(traces: Traces) -> Iterator[Place]:
    why = "They belong to the record that is made nameless, and positions of past days count them."
    yield Place("Allocated rights", Fate.STAYS, Allocation.objects.filter(person=traces.person), why)
    why = "A rule excludes this address. Delete the rule if it is not needed."
    yield Place("Exclusion rules", Fate.STAYS, UserExclusion.objects.filter(pattern__in=traces.addresses), why)
    why = "The trail is a sealed chain, so entries leave it only from the oldest on (purge_audit)."
    about = Q(object_type="Person", object_id=str(traces.person.pk))
    yield Place("Entries of the audit trail", Fate.STAYS, AuditEntry.objects.filter(about), why)
