"""Create, change, order and delete user resolution rules. Every change requests matching for all profiles."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max

from profiles.models import IntegrationProfile
from samsaas import audit
from subscriptions import rematch
from subscriptions.models import ResolutionRule

STEP = 10
FIELDS = ("name", "active", "source", "lookup", "transform", "new_domain")
UP, DOWN = "up", "down"


@transaction.atomic
def save(rule: ResolutionRule, profiles: list[IntegrationProfile], *, by: User) -> ResolutionRule:
    """Store a rule with the values its form has set. A new rule comes last in the order."""
    stored = ResolutionRule.objects.filter(pk=rule.pk).first()
    before = _audit_values(stored) if stored else {}
    if stored is None:
        rule.order = (ResolutionRule.objects.aggregate(last=Max("order"))["last"] or 0) + STEP
    rule.scoped = bool(profiles)
    rule.save()
    rule.profiles.set(profiles)
    after = _audit_values(rule)
    changed = [name for name in after if before.get(name) != after[name]]
    verb = "changed resolution rule" if stored else "created resolution rule"
    earlier = {"before": {name: before[name] for name in changed}} if stored else {}
    audit.record(by, verb, rule, **earlier, after={name: after[name] for name in changed})
    rematch.ask_everywhere(by=by)
    return rule


@transaction.atomic
def delete(rule: ResolutionRule, *, by: User) -> None:
    """Delete the rule and the matches it made. Other rules may make them again."""
    audit.record(by, "deleted resolution rule", rule, **_audit_values(rule), matches=rule.matches.count())
    rule.delete()
    rematch.ask_everywhere(by=by)


@transaction.atomic
def move(rule: ResolutionRule, direction: str, *, by: User) -> bool:
    """Move the rule one place up or down. False at the end of the list."""
    rules = list(ResolutionRule.objects.select_for_update())
    place = next((index for index, one in enumerate(rules) if one.pk == rule.pk), None)
    other = None if place is None else place + (1 if direction == DOWN else -1)
    if place is None or other is None or not 0 <= other < len(rules):
        return False
    rules[place], rules[other] = rules[other], rules[place]
    for index, one in enumerate(rules, start=1):
        one.order = index * STEP
    ResolutionRule.objects.bulk_update(rules, ["order"])
    audit.record(by, "moved resolution rule", rule, direction=direction, place=other + 1)
    rematch.ask_everywhere(by=by)
    return True


def _audit_values(rule: ResolutionRule) -> dict[str, str]:
    names = sorted(profile.display_name for profile in rule.profiles.all())
    everybody = "no profile any more" if rule.scoped else "every profile"
    return {**{name: str(getattr(rule, name)) for name in FIELDS}, "profiles": ", ".join(names) or everybody}
