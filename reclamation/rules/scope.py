"""The subscriptions that one rule judges, profile by profile, also for a rule whose settings are not stored yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db.models import Exists, OuterRef

from profiles.models import IntegrationProfile
from reclamation import sums
from reclamation.models import ReclamationRule
from reclamation.terms import RuleBook, Standing, Terms
from reclamation.verdicts import with_verdicts
from subscriptions.models import Subscription, SubscriptionIdentifier


@dataclass(frozen=True)
class Scope:
    """The seat types of the rule's software model, and what is known of each profile that lists any of them."""

    kinds: tuple[int, ...]
    standings: tuple[Standing, ...]
    now: datetime

    @cached_property
    def last_finds(self) -> dict[int, sums.LastFind]:
        """The last find of each profile that has one. One query, however often it is asked for."""
        return sums.of_last_finds(standing.profile for standing in self.standings)

    def seats(self, standing: Standing) -> Any:
        """The listed seats of one profile that the rule judges."""
        return Subscription.objects.filter(profile=standing.profile, identifier__in=self.kinds).listed()

    def all_seats(self) -> Any:
        """The listed seats that the rule judges, of all profiles."""
        return Subscription.objects.filter(identifier__in=self.kinds).listed()

    def book(self, rule: ReclamationRule) -> RuleBook:
        """The rule as the only one: nothing else judges these seats."""
        terms = Terms.at(rule, self.now)
        return RuleBook(dict.fromkeys(self.kinds, terms), terms)

    def judge(self, standing: Standing, rule: ReclamationRule) -> Any:
        """The seats of one profile with their verdict, as if none of them had an open candidate."""
        return with_verdicts(self.seats(standing), standing, self.book(rule), ignore_candidate=True)


def read_scope(rule: ReclamationRule, now: datetime) -> Scope:
    """The scope of a rule. Three queries, and one for each profile whose plan records no file events."""
    kinds = SubscriptionIdentifier.objects.filter(software_model=rule.software_model_id)
    keys = tuple(kinds.order_by("pk").values_list("pk", flat=True))
    listed = Subscription.objects.filter(profile=OuterRef("pk"), identifier__in=keys).listed()
    profiles = IntegrationProfile.objects.filter(Exists(listed)).order_by("display_name", "pk")
    return Scope(keys, tuple(Standing.of_profiles(profiles, now)), now)
