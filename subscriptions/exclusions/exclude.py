# ruff: noqa: S608 - names of tables and columns are our own constants, all else is a parameter
"""Exclusion rules as set-based statements: which seats they exclude, and marking those whose flag has to change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, QuerySet

from profiles.models import IntegrationProfile
from samsaas.lib import sql
from subscriptions import history, seats_changed
from subscriptions.models import IdentifierExclusion, Subscription, UserExclusion, normalize_address

SEATS = Subscription._meta.db_table
CHANGING = "exclusion_changing"
ESCAPE = "\\"
SAMPLE = 10

Rule = IdentifierExclusion | UserExclusion


@dataclass(frozen=True)
class Share:
    """How many of a profile's `listed` seats a rule excludes. `already` of them are excluded now."""

    profile: IntegrationProfile
    count: int
    already: int
    listed: int

    @property
    def is_everybody(self) -> bool:
        return self.count == self.listed

    @property
    def is_risky(self) -> bool:
        """Whether the rule newly excludes seats and takes more than half of the profile. That is rarely meant."""
        return 2 * self.count > self.listed and self.count > self.already


@dataclass(frozen=True)
class ExclusionPreview:
    """What saving a rule does: which listed seats it excludes, and how many count again (`back`)."""

    active: bool
    by_profile: list[Share]
    back: int
    sample: list[Subscription]

    @property
    def total(self) -> int:
        return sum(share.count for share in self.by_profile)

    @property
    def already(self) -> int:
        return sum(share.already for share in self.by_profile)

    @property
    def risky(self) -> list[Share]:
        return [share for share in self.by_profile if share.is_risky]


def mark_seats(profile: IntegrationProfile, *, now: datetime) -> int:
    """Set the *excluded* flag of the profile's listed seats. Returns for how many it changed.

    They are found first, so that the seats are looked through once and their former facts can be kept.
    """
    condition, values = _condition_for_profile(profile)
    sql.drop_table(CHANGING)
    sql.execute(
        f"CREATE TEMPORARY TABLE {CHANGING} AS SELECT id FROM {SEATS} "
        f"WHERE profile_id = %s AND ended_at IS NULL AND excluded <> ({condition})",
        [profile.pk, *values],
    )
    changed = sql.count_rows(CHANGING)
    if changed:
        chosen = f"SELECT id FROM {CHANGING}"
        history.keep_former(chosen, [], now=now)
        sql.execute(f"UPDATE {SEATS} SET excluded = NOT excluded WHERE id IN ({chosen})")
        seats_changed.note(profile.pk)
    sql.drop_table(CHANGING)
    return changed


def seats_excluded_by(rule: Rule) -> QuerySet[Subscription]:
    """The listed seats that this rule, saved or not, excludes on its own."""
    condition, values = _condition_for_rules([rule])
    return Subscription.objects.listed().extra(where=[condition], params=values)  # noqa: S610


def preview_rule(rule: Rule) -> ExclusionPreview:
    """What the rule, saved or not, would exclude with the values it has in memory, compared with its stored values."""
    before = type(rule)._default_manager.filter(pk=rule.pk).first()
    seats = seats_excluded_by(rule) if rule.active else Subscription.objects.none()
    return preview_seats(seats, active=rule.active, back=count_returning(before, rule) if before else 0)


def preview_seats(seats: QuerySet[Subscription], *, active: bool = True, back: int = 0) -> ExclusionPreview:
    """What excluding these listed seats does."""
    return ExclusionPreview(
        active=active,
        by_profile=_shares_by_profile(seats),
        back=back,
        # Not sorted by name: PostgreSQL would walk the index on names and read every row to find a rare address.
        sample=list(seats.order_by("pk")[:SAMPLE]),
    )


def count_returning(before: Rule, after: Rule | None) -> int:
    """How many excluded seats count again when `after`, or nothing, replaces the stored rule `before`."""
    if not before.active:
        return 0
    everything: list[Rule] = [
        *IdentifierExclusion.objects.filter(active=True),
        *UserExclusion.objects.filter(active=True),
    ]
    others = [rule for rule in everything if rule != before]
    by_before, values = _condition_for_rules([before])
    by_others, more = _condition_for_rules([*others, after] if after and after.active else others)
    (count,) = sql.fetch_row(
        f"SELECT count(*) FROM {SEATS} WHERE ended_at IS NULL AND excluded AND ({by_before}) AND NOT ({by_others})",
        [*values, *more],
    )
    return int(count)


def _shares_by_profile(seats: QuerySet[Subscription]) -> list[Share]:
    grouped = (
        seats.order_by().values_list("profile").annotate(Count("pk"), already=Count("pk", filter=Q(excluded=True)))
    )
    counted = {profile: (total, already) for profile, total, already in grouped}
    listed = Subscription.objects.listed().filter(profile__in=counted).order_by().values_list("profile")
    totals = dict(listed.annotate(Count("pk")))
    profiles = IntegrationProfile.objects.filter(pk__in=counted)
    return [Share(one, *counted[one.pk], listed=totals.get(one.pk, 0)) for one in profiles]


def rules_for(seat: Subscription) -> list[Rule]:
    """The active rules that exclude this seat. Three queries, however many rules there are."""
    applies = _applies_to(seat.profile_id)
    by_type = IdentifierExclusion.objects.filter(applies, identifier=seat.identifier_id).select_related("identifier")
    by_user = list(UserExclusion.objects.filter(applies))
    if not by_user:
        return [*by_type]
    patterns, values = _pattern_table(by_user)
    positions = sql.fetch_rows(
        f"{patterns} SELECT r.position FROM rules r JOIN {SEATS} t ON t.compared_email LIKE r.pattern "
        f"ESCAPE '{ESCAPE}' WHERE t.id = %s ORDER BY r.position",
        [*values, seat.pk],
    )
    return [*by_type, *(by_user[position] for (position,) in positions)]


def count_by_identifier(rules: Sequence[IdentifierExclusion]) -> dict[int, int]:
    """How many seats each active rule excludes now, by the rule's key. One query."""
    wanted = [rule for rule in rules if rule.active]
    left_out = Subscription.objects.left_out().filter(identifier__in={rule.identifier_id for rule in wanted})
    counted = list(left_out.order_by().values_list("identifier", "profile").annotate(Count("pk")))
    return {
        rule.pk: sum(
            count
            for identifier, profile, count in counted
            if identifier == rule.identifier_id and rule.profile_id in (None, profile)
        )
        for rule in wanted
    }


def count_by_user(rules: Sequence[UserExclusion]) -> dict[int, int]:
    """How many seats each active rule excludes now, by the rule's key. One query over the excluded seats."""
    wanted = [rule for rule in rules if rule.active]
    if not wanted:
        return {}
    patterns, values = _pattern_table(wanted)
    counted = sql.fetch_rows(
        f"{patterns} SELECT r.position, count(t.id) FROM rules r LEFT JOIN {SEATS} t ON t.excluded "
        f"AND t.ended_at IS NULL AND (r.profile_id = 0 OR r.profile_id = t.profile_id) "
        f"AND t.compared_email LIKE r.pattern ESCAPE '{ESCAPE}' GROUP BY r.position",
        values,
    )
    return {wanted[position].pk: count for position, count in counted}


def _pattern_table(rules: Sequence[UserExclusion]) -> tuple[str, list[Any]]:
    """The rules as a table in SQL: place in the sequence, profile (0: every profile), LIKE pattern of the address."""
    row = "(CAST(%s AS integer), CAST(%s AS bigint), CAST(%s AS text))"
    values: list[Any] = []
    for position, rule in enumerate(rules):
        values += [position, rule.profile_id or 0, _like_pattern(rule)]
    return f"WITH rules (position, profile_id, pattern) AS (VALUES {', '.join([row] * len(rules))})", values


def _applies_to(profile_id: int) -> Q:
    return Q(active=True) & (Q(profile=None) | Q(profile=profile_id))


def _condition_for_profile(profile: IntegrationProfile) -> tuple[str, list[Any]]:
    applies = _applies_to(profile.pk)
    return _condition_for_rules([*IdentifierExclusion.objects.filter(applies), *UserExclusion.objects.filter(applies)])


def _condition_for_rules(rules: Iterable[Rule]) -> tuple[str, list[Any]]:
    """The SQL condition for seats that any of these rules excludes, with its values.

    Rules of one address each are a list, because SQLite takes no condition that is a thousand levels deep.
    """
    parts: list[str] = []
    values: list[Any] = []
    addresses: dict[int | None, list[str]] = defaultdict(list)

    def add(profile_id: int | None, what: str, *given: Any) -> None:
        values.extend((profile_id, *given) if profile_id else given)
        parts.append(f"(profile_id = %s AND {what})" if profile_id else what)

    for rule in rules:
        if isinstance(rule, IdentifierExclusion):
            add(rule.profile_id, "identifier_id = %s", rule.identifier_id)
        elif rule.pattern and "*" not in rule.pattern:
            addresses[rule.profile_id].append(normalize_address(rule.pattern))
        else:
            add(rule.profile_id, f"compared_email LIKE %s ESCAPE '{ESCAPE}'", _like_pattern(rule))
    for profile_id, those in addresses.items():
        add(profile_id, f"compared_email IN ({', '.join(['%s'] * len(those))})", *those)
    nobody = "1 = 0"
    return " OR ".join(parts) or nobody, values


def _like_pattern(rule: UserExclusion) -> str:
    """The rule as a LIKE pattern. In a rule only * is special, so % and _ are escaped."""
    text = f"*@{rule.domain}" if rule.domain else rule.pattern
    for special in (ESCAPE, "%", "_"):
        text = text.replace(special, ESCAPE + special)
    return text.replace("*", "%")
