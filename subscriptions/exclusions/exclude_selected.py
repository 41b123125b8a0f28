"""Exclude selected seats by rules of their addresses, many at once, and undo it.

1. Lock the profile of the seats: nobody makes the same rule meanwhile, and a download that publishes comes before or
   after.
2. Take its seats again from the database: listed ones with an address, for which no rule is there (`obstacle`).
3. Make a rule of that profile for each of their addresses, and apply them at once, as a rule of one address is.
4. `restore` deletes those rules that still are as they were made.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Case, CharField, Exists, OuterRef, QuerySet, Value, When

from profiles.models import IntegrationProfile
from samsaas.lib.weigh_selection import Words
from subscriptions.exclusions import edit
from subscriptions.models import Subscription, UserExclusion

MOST = 500  # each is a rule that every download asks
UNDO = "samsaas_undo_exclusion"  # key of the session
ENDED, EXCLUDED, NO_ADDRESS, ODD, OFF = "ended", "excluded", "no_address", "odd", "off"
WORDS: Words = {
    ENDED: ("has ended", "have ended"),
    EXCLUDED: ("is excluded already", "are excluded already"),
    NO_ADDRESS: ("has no address", "have no address"),
    ODD: ("has an address with *", "have addresses with *"),
    OFF: ("has a rule that is switched off", "have rules that are switched off"),
}


def obstacle() -> Case:
    """The code of what stands in the way of excluding a seat by its address; empty if nothing does."""
    rules = UserExclusion.objects.filter(profile=OuterRef("profile"), pattern=OuterRef("compared_email"))
    return Case(
        When(ended_at__isnull=False, then=Value(ENDED)),
        When(excluded=True, then=Value(EXCLUDED)),
        When(compared_email="", then=Value(NO_ADDRESS)),
        When(compared_email__contains="*", then=Value(ODD)),
        When(Exists(rules), then=Value(OFF)),
        default=Value(""),
        output_field=CharField(),
    )


def concerned_seats(keys: Sequence[int]) -> QuerySet[Subscription]:
    """The listed seats that the rules exclude: these, and others of their profiles with the same addresses."""
    chosen = Subscription.objects.filter(pk__in=keys)
    same = chosen.filter(profile=OuterRef("profile"), compared_email=OuterRef("compared_email"))
    addresses = chosen.order_by().values("compared_email")  # by their index: otherwise every seat would be looked at
    return Subscription.objects.listed().filter(Exists(same), compared_email__in=addresses)


def run(keys: Sequence[int], *, reason: str, by: User) -> tuple[list[int], int]:
    """Exclude those of the seats that still can be. Returns the keys of the rules, and how many seats they exclude."""
    rules, seats = list[int](), 0
    of_these = Subscription.objects.filter(pk__in=keys)
    for profile in sorted(set(of_these.order_by().values_list("profile", flat=True))):
        made, changed = _exclude_in_profile(profile, of_these.filter(profile=profile), reason, by)
        rules += [rule.pk for rule in made]
        seats += changed
    return rules, seats


@transaction.atomic
def _exclude_in_profile(
    key: int, seats: QuerySet[Subscription], reason: str, by: User
) -> tuple[list[UserExclusion], int]:
    profile = IntegrationProfile.objects.select_for_update(no_key=True, of=("self",)).filter(pk=key).first()
    able = seats.annotate(obstacle=obstacle()).filter(obstacle="")
    addresses = sorted(set(able.order_by().values_list("compared_email", flat=True)))
    if profile is None or not addresses:
        return [], 0
    return edit.exclude_addresses(profile, addresses, reason=reason, by=by)


@transaction.atomic
def restore(rules: Sequence[int], *, reason: str, by: User) -> tuple[int, int]:
    """Delete the rules that are as they were made. Returns how many, and how many seats count again."""
    same = UserExclusion.objects.filter(pk__in=rules, active=True, reason=reason, profile__isnull=False, domain="")
    found = list(same.exclude(pattern__contains="*").select_related("profile").order_by("pk"))
    return len(found), edit.delete_many(found, by=by).seats
