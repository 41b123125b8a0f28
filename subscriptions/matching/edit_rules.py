"""Create, change, order and delete user resolution rules. Every change requests matching for all profiles.

The functions named `preview_…` say before that which seats would change their user.
"""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from profiles.models import IntegrationProfile
from samsaas import audit
from subscriptions import history, rematch
from subscriptions.models import ResolutionRule
from subscriptions.users import compare, find
from subscriptions.users.compare import UserChanges

STEP = 10
FIELDS = ("name", "active", "source", "lookup", "transform", "new_domain")
UP, DOWN = "up", "down"
ChosenRule = tuple[ResolutionRule, bool, list[IntegrationProfile]]  # with `scoped`, and the chosen profiles


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
    earlier, values = history.has_earlier_user(timezone.now())
    chosen = (
        f"SELECT m.subscription_id FROM {find.MATCHES} m JOIN {find.SEATS} t ON t.id = m.subscription_id "  # noqa: S608 - ours
        f"WHERE m.rule_id = %s AND {earlier}"
    )
    history.keep_former(chosen, [rule.pk, *values], now=timezone.now())
    rule.delete()
    rematch.ask_everywhere(by=by)


@transaction.atomic
def move(rule: ResolutionRule, direction: str, *, by: User) -> bool:
    """Move the rule one place up or down. False at the end of the list."""
    rules = list(ResolutionRule.objects.select_for_update())
    place, other = find_places([one.pk for one in rules], rule.pk, direction)
    if place is None or other is None:
        return False
    rules[place], rules[other] = rules[other], rules[place]
    for index, one in enumerate(rules, start=1):
        one.order = index * STEP
    ResolutionRule.objects.bulk_update(rules, ["order"])
    audit.record(by, "moved resolution rule", rule, direction=direction, place=other + 1)
    rematch.ask_everywhere(by=by)
    return True


def preview_save(rule: ResolutionRule, profiles: list[IntegrationProfile], *, most: int = compare.SHOWN) -> UserChanges:
    """Which seats would change their user if the rule, new or not, were saved with its present values."""
    rules = _stored_rules()
    if any(_same_effect(one, rule, bool(profiles), profiles) for one in rules):
        return UserChanges()
    edited = (rule, bool(profiles), profiles)
    places = [index for index, (one, _, _) in enumerate(rules) if one.pk == rule.pk]
    return _preview([*rules[: places[0]], edited, *rules[places[0] + 1 :]] if places else [*rules, edited], most)


def preview_delete(rule: ResolutionRule, *, most: int = compare.SHOWN) -> UserChanges:
    """Which seats would change their user without this rule."""
    return _preview([one for one in _stored_rules() if one[0].pk != rule.pk], most)


def preview_move(rule: ResolutionRule, direction: str, *, most: int = compare.SHOWN) -> UserChanges:
    """Which seats would change their user if the rule were tried one place earlier or later."""
    rules = _stored_rules()
    place, other = find_places([one.pk for one, _, _ in rules], rule.pk, direction)
    if other is None or place is None:
        return UserChanges()
    rules[place], rules[other] = rules[other], rules[place]
    return _preview(rules, most)


def _same_effect(stored: ChosenRule, rule: ResolutionRule, scoped: bool, profiles: list[IntegrationProfile]) -> bool:
    """Whether the stored rule matches as the edited one does, so that nothing has to be compared."""
    one, was_scoped, chosen = stored
    same_fields = all(getattr(one, name) == getattr(rule, name) for name in FIELDS if name != "name")
    return one.pk == rule.pk and same_fields and was_scoped == scoped and set(chosen) == set(profiles)


def _stored_rules() -> list[ChosenRule]:
    rules = ResolutionRule.objects.prefetch_related("profiles")
    return [(rule, rule.scoped, list(rule.profiles.all())) for rule in rules]


def _preview(rules: list[ChosenRule], most: int) -> UserChanges:
    profiles = list(IntegrationProfile.objects.all())
    active = [(rule, find.applicable(scoped, chosen, profiles)) for rule, scoped, chosen in rules if rule.active]
    return compare.of_rules(active, today=timezone.localdate(), most=most)


def find_places(keys: list[int], key: int, direction: str) -> tuple[int | None, int | None]:
    """The place of a rule and the one it would move to; None where there is none."""
    place = keys.index(key) if key in keys else None
    other = None if place is None else place + (1 if direction == DOWN else -1)
    return place, other if other is not None and 0 <= other < len(keys) else None


def _audit_values(rule: ResolutionRule) -> dict[str, str]:
    names = sorted(profile.display_name for profile in rule.profiles.all())
    everybody = "no profile any more" if rule.scoped else "every profile"
    return {**{name: str(getattr(rule, name)) for name in FIELDS}, "profiles": ", ".join(names) or everybody}
