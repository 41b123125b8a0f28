"""Whether an entitlement may be stored as it is, and what a person should be told of it."""

from __future__ import annotations

from datetime import date

from django.core.exceptions import ValidationError
from django.db.models import F, Sum

from samsaas.lib import money
from subscriptions.entitlements.terms import ONE_DAY, Book, costs_disagree, is_ever_in_force, yearly_cost
from subscriptions.models import Allocation, Entitlement

NO_END = "Entire subscription period needs an end date."
TOO_LARGE = "The cost a year is too large to be recorded."
OTHER_MODEL = "It renews an entitlement of another software model. Record a purchase, and retire the other one."
NOT_LATER = "A renewal starts after the entitlement that it renews."
RENEWED = "This entitlement has a renewal already."


def check_entitlement(one: Entitlement) -> None:
    """Raises `ValidationError` by field. Call it under a lock of the entitlement and of what it renews."""
    one.full_clean()
    errors: dict[str, str] = {}
    if one.period == Entitlement.Period.ENTIRE and one.end is None:
        errors["end"] = NO_END
    elif (cost := yearly_cost(one)) is not None and cost >= money.LARGEST:
        errors["total_cost" if one.total_cost is not None else "unit_cost"] = TOO_LARGE
    if problem := _problem_of_renewal(one):
        errors["renews"] = problem
    if one.pk and (problem := _problem_of_allocations(one)):
        errors["purchased_rights"] = problem
    if errors:
        raise ValidationError(errors)


def _problem_of_renewal(one: Entitlement) -> str:
    before = one.renews
    if before is None:
        return ""
    if before.software_model_id != one.software_model_id:
        return OTHER_MODEL
    if before.start >= one.start:
        return NOT_LATER
    other = existing_renewal(before, unless=one.pk)
    is_void = one.retired_on is not None and one.retired_on <= one.start
    return RENEWED if other and not is_void else ""


def existing_renewal(one: Entitlement, *, unless: int | None = None) -> Entitlement | None:
    """The renewal that was recorded, published or not. One that was retired before it began is none."""
    return one.renewals.exclude(retired_on__lte=F("start")).exclude(pk=unless or 0).first()


def _problem_of_allocations(one: Entitlement) -> str:
    """Rights that are allocated cannot be taken away by a correction. The sentence names the people."""
    allocated = Allocation.objects.open().filter(entitlement=one)
    if one.unlimited and allocated.exists():
        return "Rights of it are allocated, and an unlimited license has none to allocate. Release them first."
    total = allocated.aggregate(total=Sum("quantity"))["total"] or 0
    if one.unlimited or total <= one.purchased_rights:
        return ""
    names = list(allocated.order_by("person__name").values_list("person__name", flat=True)[:5])
    more = f" and {allocated.count() - len(names):,} more" if allocated.count() > len(names) else ""
    return f"{total:,} rights are allocated, to {', '.join(names)}{more}. Release some first."


def list_warnings(one: Entitlement) -> list[str]:
    """What a person should look at: costs that disagree, and a term that adds up with another one."""
    found = []
    if costs_disagree(one):
        found.append("Unit cost and total cost say different things. The total cost counts.")
    found += [
        f"Its term overlaps with {other.number}, so the rights of both add up. "
        f"If it is the renewal of {other.number}, say so."
        for other in overlapping_terms(one)
    ]
    return found


def overlapping_terms(one: Entitlement) -> list[Entitlement]:
    """Published entitlements of the model that began earlier and still count when this one begins, without a link."""
    book = Book.read(software_model=one.software_model_id)
    earlier = [other for other in book.entitlements if other.pk != one.pk and other.start < one.start]
    return [
        other
        for other in earlier
        if other.pk != one.renews_id and is_ever_in_force(other) and last_day(other, book) >= one.start
    ]


def last_day(one: Entitlement, book: Book) -> date:
    """The last day on which it counts: of its term, before it is retired, or before its renewal takes its place."""
    renewal = book.renewal(one)
    ends = [one.end or date.max]
    ends += [first - ONE_DAY for first in (one.retired_on, renewal and renewal.start) if first]
    return min(ends)
