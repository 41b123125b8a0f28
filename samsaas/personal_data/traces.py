"""Where a person left traces: the keys of their subscriptions, removal candidates and mails, read once.

They are keys and not queries, because erasing removes the links by which they were found.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Lower

from reclamation.models import Notice, RemovalAttempt, RemovalCandidate
from samsaas.models import Mail
from subscriptions.models import FormerAddress, Person, PersonAddress, Subscription

Keys = frozenset[int]


@dataclass(frozen=True)
class Traces:
    """`proofs` are the candidates after which an account was really removed; `proving` are the mails about those."""

    person: Person
    addresses: frozenset[str]
    listed: Keys
    ended: Keys
    candidates: Keys
    proofs: Keys
    mails: Keys
    proving: Keys

    @property
    def seats(self) -> Keys:
        return self.listed | self.ended


def find(person: Person) -> Traces:
    """Read the keys of everything that can be traced to the person."""
    seats = list(Subscription.objects.filter(match__person=person).values_list("pk", "ended_at", "email"))
    keys = frozenset(pk for pk, _, _ in seats)
    addresses = _addresses_of(person) | {email.lower() for _, _, email in seats if email}
    about = RemovalCandidate.objects.filter(Q(subscription__in=keys) | Q(person_key=person.key))
    removed = Exists(RemovalAttempt.objects.filter(candidate=OuterRef("pk"), dry_run=False))
    candidates, proofs = _keys(about), _keys(about.filter(removed))
    of_candidates = Notice.objects.filter(candidate__in=candidates)
    to_person = Mail.objects.annotate(lower_to=Lower("to")).filter(lower_to__in=addresses)
    return Traces(
        person=person,
        addresses=frozenset(addresses),
        listed=frozenset(pk for pk, ended_at, _ in seats if ended_at is None),
        ended=frozenset(pk for pk, ended_at, _ in seats if ended_at is not None),
        candidates=candidates,
        proofs=proofs,
        mails=_keys(to_person) | frozenset(of_candidates.values_list("mail", flat=True)),
        proving=frozenset(of_candidates.filter(candidate__in=proofs).values_list("mail", flat=True)),
    )


def _keys(rows: object) -> Keys:
    return frozenset(rows.values_list("pk", flat=True))  # type: ignore[attr-defined]


def _addresses_of(person: Person) -> set[str]:
    held = PersonAddress.objects.filter(person=person).values_list("address", flat=True)
    former = FormerAddress.objects.filter(person=person).values_list("address", flat=True)
    return {address.lower() for address in [*held, *former]}
