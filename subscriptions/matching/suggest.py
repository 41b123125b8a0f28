"""Suggest people for seats that no rule has matched. A suggestion is a hint with its reason, never a match.

1. The seat's own address belongs or belonged to somebody but is not verified, or it belongs to several people.
2. One of the seat's secondary addresses belongs to somebody.
3. Somebody has the same name, however it is written (`text_forms.normalize_name`); after them, with other accents.
4. Somebody has the same address under another domain that occurs in the directory.
5. Put people who are here before those who left. Add what tells namesakes apart: the addresses of each suggested person
   and the seats they already have.

The number of queries does not depend on the number of seats, and every query uses an index.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from django.core.cache import cache
from django.db.models import Count, Value
from django.db.models.functions import StrIndex, Substr

from samsaas.lib.fold import fold
from samsaas.lib.text_forms import loosen_identifier, normalize_name
from subscriptions.models import FormerAddress, Match, Person, PersonAddress, Subscription, normalize_address

DOTLESS = "ı"  # a search takes it for an i; in names it is another letter
MOST_DOMAINS = 40
DOMAINS_FOR = 86_400  # seconds in the cache
MOST = 3


@dataclass(frozen=True)
class Suggestion:
    """A suggested person, with `seats` counted, the reason, and whether they already have a seat in this profile."""

    person: Person
    reason: str
    holds_here: bool = False


def run(seats: Sequence[Subscription]) -> dict[int, list[Suggestion]]:
    """Up to three people for each seat, the most likely first, by the seat's id."""
    by_address = _by_address(_all_addresses(seats))
    by_former = _by_address({normalize_address(seat.email) for seat in seats} - {""}, FormerAddress)
    by_name = _by_name(seats)
    domains = _common_domains() if seats else []
    by_other = _by_address(
        {f"{_local_part(seat)}@{domain}" for seat in seats if _local_part(seat) for domain in domains}
    )
    best = {
        seat.pk: _pick_best(_find_suggestions(seat, by_address, by_former, by_name, by_other, domains))
        for seat in seats
    }
    return _add_distinctions(seats, best)


def _find_suggestions(
    seat: Subscription,
    by_address: dict[str, list[Person]],
    by_former: dict[str, list[Person]],
    by_name: dict[str, list[Person]],
    by_other: dict[str, list[Person]],
    domains: list[str],
) -> Iterable[Suggestion]:
    own = normalize_address(seat.email)
    owners = by_address.get(own, [])
    here = sum(not person.has_left for person in owners)
    for person in owners:
        yield Suggestion(person, _why_not_matched(seat, here or len(owners)))
    for person in by_former.get(own, []):
        yield Suggestion(person, "Former address")
    for person in by_address.get(loosen_identifier(own), []) if loosen_identifier(own) != own else []:
        yield Suggestion(person, f"Similar address {loosen_identifier(own)}")
    for address in seat.secondary_emails.splitlines():
        for person in by_address.get(normalize_address(address), []):
            yield Suggestion(person, f"Secondary address {normalize_address(address)}")
    yield from _suggest_namesakes(_compared_names(seat), by_name)
    for domain in domains if _local_part(seat) else []:
        other = f"{_local_part(seat)}@{domain}"
        for person in by_other.get(other, []) if other != own else []:
            yield Suggestion(person, f"Same address under another domain: {other}")


def _suggest_namesakes(names: set[str], by_name: dict[str, list[Person]]) -> Iterable[Suggestion]:
    """People of the same name, those first whose accents are the same, too."""
    plain = sorted({fold(name) or "" for name in names})
    dotless = {DOTLESS in name for name in names}
    found = [person for name in plain for person in by_name.get(name, [])]
    namesakes = [person for person in found if (DOTLESS in person.compared_name) in dotless]
    for person in namesakes:
        if person.compared_name in names:
            yield Suggestion(person, "Same name")
    for person in namesakes:
        yield Suggestion(person, "Same name with other accents")


def _why_not_matched(seat: Subscription, owners: int) -> str:
    if owners > 1:
        return f"Same address, but {owners} people share it"
    return "Same address" if seat.email_verified else "Same address, but the vendor has not verified it"


def _pick_best(found: Iterable[Suggestion]) -> list[Suggestion]:
    """The best few suggestions: each person once, with the strongest reason, and people who left last."""
    first: dict[int, Suggestion] = {}
    for suggestion in found:
        first.setdefault(suggestion.person.pk, suggestion)
    return sorted(first.values(), key=lambda one: one.person.has_left)[:MOST]


def _add_distinctions(seats: Sequence[Subscription], best: dict[int, list[Suggestion]]) -> dict[int, list[Suggestion]]:
    """The same suggestions with what tells their people apart: addresses, seat counts, seats in this profile."""
    wanted = {one.person.pk for found in best.values() for one in found}
    people = Person.objects.with_seat_counts().prefetch_related("addresses").in_bulk(wanted)
    held = Match.objects.of_current_seats().filter(person__in=wanted)
    held_here = set(held.values_list("person", "subscription__profile"))
    profiles = {seat.pk: seat.profile_id for seat in seats}
    return {
        seat: [
            replace(one, person=people[one.person.pk], holds_here=(one.person.pk, profiles[seat]) in held_here)
            for one in found
            if one.person.pk in people
        ]
        for seat, found in best.items()
    }


def _all_addresses(seats: Sequence[Subscription]) -> set[str]:
    own = {form(seat.email) for seat in seats for form in (normalize_address, loosen_identifier)}
    secondary = {normalize_address(address) for seat in seats for address in seat.secondary_emails.splitlines()}
    return (own | secondary) - {""}


def _by_address(
    addresses: Iterable[str], model: type[PersonAddress | FormerAddress] = PersonAddress
) -> dict[str, list[Person]]:
    found: dict[str, list[Person]] = defaultdict(list)
    for held in model._default_manager.filter(address__in=list(addresses)).select_related("person"):
        found[held.address].append(held.person)
    return found


def _by_name(seats: Sequence[Subscription]) -> dict[str, list[Person]]:
    """People by their name in its searched form."""
    wanted = {name for seat in seats for name in _compared_names(seat)}
    found: dict[str, list[Person]] = defaultdict(list)
    for person in Person.objects.named(wanted):
        found[fold(person.compared_name) or ""].append(person)
    return found


def _compared_names(seat: Subscription) -> set[str]:
    names = [seat.display_name]
    if seat.given_name.strip() and seat.surname.strip():
        names += [f"{seat.given_name} {seat.surname}", f"{seat.surname} {seat.given_name}"]
    return {normalize_name(name) for name in names} - {""}


def _local_part(seat: Subscription) -> str:
    local, at, _ = normalize_address(seat.email).partition("@")
    return local if at else ""


def _common_domains() -> list[str]:
    """The most common domains of the addresses in the directory; counted anew when there is a new address."""
    newest = PersonAddress.objects.order_by("-pk").values_list("pk", flat=True).first()
    return list(cache.get_or_set(f"common-domains-{newest}", _count_domains, DOMAINS_FOR) or ())


def _count_domains() -> list[str]:
    domain = Substr("address", StrIndex("address", Value("@")) + 1)
    counted = PersonAddress.objects.order_by().annotate(domain=domain).values("domain").annotate(number=Count("pk"))
    return list(counted.order_by("-number", "domain").values_list("domain", flat=True)[:MOST_DOMAINS])
