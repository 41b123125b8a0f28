"""To which address a mail about a candidate goes."""

from __future__ import annotations

from reclamation.asking import seat_user
from reclamation.models import RemovalCandidate
from samsaas.lib import mail
from subscriptions.models import Person


def address_of(candidate: RemovalCandidate) -> str:
    """The first address of the seat's user, otherwise the account's own; empty if neither can be written to."""
    person = seat_user.person_of(candidate)
    seat = candidate.subscription
    addresses = [address_of_person(person) if person else "", seat.email if seat else candidate.email]
    return next((address for address in addresses if address and not mail.address_problem(address)), "")


def address_of_person(person: Person) -> str:
    """The main address, which is the first one. Empty if there is none."""
    return person.addresses.order_by("pk").values_list("address", flat=True).first() or ""


def manager_of(candidate: RemovalCandidate) -> Person | None:
    """The manager of the seat's user, if the directory knows them and they have not left."""
    person = seat_user.person_of(candidate)
    if person is None or not person.manager:
        return None
    return Person.objects.not_leavers().exclude(pk=person.pk).filter(key=person.manager).first()
