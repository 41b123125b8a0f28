"""What a rule and the state of a profile mean at one moment, as days and moments that a seat is compared with.

Days are days of the installation's time zone; a seat without use since `used_since` is idle.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils import timezone

from profiles.models import IntegrationProfile
from reclamation.models import ReclamationRule
from reclamation.reasons import Decision
from subscriptions.activity import last_used
from subscriptions.activity.coverage import reach
from subscriptions.models import SubscriptionIdentifier

FRESH = timedelta(hours=24)  # what is older is no evidence for a removal


@dataclass(frozen=True)
class Terms:
    """A rule at a moment. `used_since` is W of the specification: use at or after it is use within the threshold."""

    rule: ReclamationRule
    today: date
    used_since: datetime
    too_new_since: datetime
    never_used_since: datetime
    invited_since: datetime
    decision: Decision

    @classmethod
    def at(cls, rule: ReclamationRule, now: datetime) -> Terms:
        """The rule's terms now. A seat is too new if it began at or after `too_new_since`, or `never_used_since`."""
        never_used = max(rule.minimum_age_days, rule.threshold_days)
        observes = rule.mode == rule.Mode.OBSERVE or (rule.observe_until is not None and now < rule.observe_until)
        return cls(
            rule=rule,
            today=timezone.localtime(now).date(),
            used_since=_day_begins(now, rule.threshold_days),
            too_new_since=_day_begins(now, rule.minimum_age_days),
            never_used_since=_day_begins(now, never_used),
            invited_since=_day_begins(now, rule.invited_days),
            decision=Decision.OBSERVE if observes else Decision.PROPOSE,
        )


def _day_begins(now: datetime, days: int) -> datetime:
    """The midnight from which on something happened less than so many days of the calendar ago."""
    return last_used.midnight(now, days - 1)


@dataclass(frozen=True)
class Standing:
    """What is known of a profile now: whether its list and its activity are fresh, and how strong the signals are.

    `knowledge` is the coverage of this profile only.
    """

    profile: IntegrationProfile
    knowledge: reach.Knowledge
    covered_until: datetime | None
    has_stale_directory: bool
    has_stale_activity: bool
    has_weak_signal: bool

    @classmethod
    def of_profile(cls, profile: IntegrationProfile, now: datetime) -> Standing:
        """One query, or two where the vendor's plan records no file events."""
        return cls.of_profiles([profile], now)[0]

    @classmethod
    def of_profiles(cls, profiles: Iterable[IntegrationProfile], now: datetime) -> list[Standing]:
        """One query, and one for each profile of a plan that records no file events."""
        reaches = reach.read_knowledge(now).reaches
        return [cls._from_reaches(profile, reaches, now) for profile in profiles]

    @classmethod
    def _from_reaches(cls, profile: IntegrationProfile, reaches: Iterable[reach.Reach], now: datetime) -> Standing:
        own = tuple(one for one in reaches if one.profile_id == profile.pk)
        until = own[0].until if own else None
        return cls(
            profile=profile,
            knowledge=reach.Knowledge(own),
            covered_until=until,
            has_stale_directory=profile.refreshed_at is None or profile.refreshed_at < now - FRESH,
            has_stale_activity=until is None or until < now - FRESH,
            has_weak_signal=profile.file_events is False and not last_used.has_read_sessions(profile),
        )


@dataclass(frozen=True)
class RuleBook:
    """The terms of the rules that apply to a profile's seats, by the seat types they apply to.

    Seats of a model that has no rule yet are judged by the defaults, `unwritten`.
    """

    terms: Mapping[int, Terms]
    unwritten: Terms

    def terms_for(self, identifier: SubscriptionIdentifier) -> Terms:
        """The terms for seats of this type."""
        return self.terms.get(identifier.pk) or self.unwritten

    def keys_of(self, rule: int) -> list[int]:
        """The keys of the seat types that a rule applies to."""
        return [identifier for identifier, terms in self.terms.items() if terms.rule.pk == rule]

    def by_rule(self) -> list[tuple[Terms, list[int]]]:
        """Each rule's terms, with the keys of the seat types it applies to."""
        found: dict[int, tuple[Terms, list[int]]] = {}
        for identifier, terms in self.terms.items():
            found.setdefault(terms.rule.pk, (terms, []))[1].append(identifier)
        return list(found.values())


def read_rules(profile: IntegrationProfile, now: datetime) -> RuleBook:
    """The rules of the software models that the vendor's seat types belong to. One query."""
    kinds = SubscriptionIdentifier.objects.filter(
        vendor=profile.vendor, software_model__reclamation_rule__isnull=False
    ).select_related("software_model__reclamation_rule")
    made: dict[int, Terms] = {}
    terms = {}
    for kind in kinds:
        rule = kind.software_model.reclamation_rule  # type: ignore[union-attr]
        terms[kind.pk] = made.setdefault(rule.pk, Terms.at(rule, now))
    return RuleBook(terms, Terms.at(ReclamationRule.with_defaults(now), now))
