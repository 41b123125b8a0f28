"""What pressing *Reclaim* would do: how many, by what rule, files to whom, and within what limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from profiles.models import IntegrationProfile
from reclamation import rules
from reclamation.asking import approvers
from reclamation.models import ReclamationRule, RemovalBatch, RemovalCandidate
from reclamation.removal import batches, destination, first_step, limits
from subscriptions.models import Subscription

Destination = ReclamationRule.Destination


@dataclass(frozen=True)
class Plan:
    """What a press does in one team. `ready` are the candidates that it would take."""

    profile: IntegrationProfile
    ready: Sequence[RemovalCandidate]
    figures: limits.Figures
    rest_at: datetime | None
    at: datetime

    @property
    def size(self) -> int:
        return len(self.ready)

    @property
    def is_possible(self) -> bool:
        return self.figures.allows(self.size)

    @property
    def needs_second_person(self) -> bool:
        return batches.needs_second_person(self.ready, self.figures)

    @property
    def steps(self) -> list[tuple[str, int]]:
        """What happens first, with how many."""
        return _count(first_step.LABELS[first_step.choose(one, self.at)] for one in self.ready)

    @property
    def by_rule(self) -> list[tuple[str, int]]:
        return _count(one.rule.name if one.rule else "Without a rule" for one in self.ready)

    @property
    def by_department(self) -> list[tuple[str, int]]:
        return _count(_department(one) or "No department" for one in self.ready)

    @property
    def files(self) -> list[tuple[str, int]]:
        """Who receives the files, with how many."""
        receivers = _Receivers(self.profile)
        return _count(receivers.describe(one) for one in self.ready)

    @property
    def undo(self) -> list[tuple[str, int]]:
        """What can be undone and for how long, with how many."""
        return _count(describe_undo(one) for one in self.ready)

    @property
    def without_rule(self) -> int:
        return sum(one.rule is None for one in self.ready)

    @property
    def admins(self) -> int:
        return sum(bool(one.subscription and one.subscription.is_admin) for one in self.ready)

    @property
    def unreviewed(self) -> int:
        return sum(one.rule is not None and one.rule.reviewed_at is None for one in self.ready)

    @property
    def warnings(self) -> Sequence[str]:
        """What the vendor does that whoever presses the button should know."""
        removal = self.profile.vendor_info.removal
        return removal.warnings if removal else ()


def make(candidates: Iterable[int], *, now: datetime) -> list[Plan]:
    """The plans of these candidates, one per team. Those that are not ready, or in another batch, are left out."""
    related = ("rule", "subscription__match__person", "profile__alias__parent")
    found = list(batches.ready(candidates).select_related(*related))
    plans = []
    for ready in batches.by_team(found).values():
        profile = ready[0].profile
        if profile is None:
            continue
        figures = limits.figures_for(profile, now=now)
        rest_at = None if figures.allows(len(ready)) else limits.rest_possible_at(profile, len(ready), now=now)
        plans.append(Plan(profile, ready, figures, rest_at, now))
    return plans


def of_batch(batch: RemovalBatch, figures: limits.Figures, *, now: datetime) -> Plan | None:
    """What letting a batch go on would do with those of its candidates that are open still; None without any."""
    related = ("rule", "rule_version__rule", "subscription__match__person", "profile__alias__parent")
    waiting = list(batch.candidates.open().filter(profile__isnull=False).select_related(*related).order_by("pk"))
    profile = waiting[0].profile if waiting else None
    return Plan(profile, waiting, figures, None, now) if profile else None


def without_approver(plans: Iterable[Plan], by: User) -> list[str]:
    """The rules of these plans whose questions nobody but the requester could answer.

    One candidate stands for all of its rule, so the cost grows with the rules.
    """
    found: dict[str, RemovalCandidate] = {}
    for one in (candidate for plan in plans for candidate in plan.ready):
        if rules.settings_of(one).approver != ReclamationRule.Approver.NONE:
            found.setdefault(one.rule.name if one.rule else "Without a rule", one)
    return [name for name, one in found.items() if approvers.is_lonely(one, by)]


def _count(words: Iterable[str]) -> list[tuple[str, int]]:
    return Counter(words).most_common()


def _department(candidate: RemovalCandidate) -> str:
    seat: Any = candidate.subscription
    return seat.match.person.department if seat and hasattr(seat, "match") else ""


def describe_recipient(candidate: RemovalCandidate, profile: IntegrationProfile) -> str:
    """Who receives the files of a candidate's account."""
    return _Receivers(profile).describe(candidate)


class _Receivers:
    """The accounts that receive files in one profile, by name. Each is looked up once."""

    def __init__(self, profile: IntegrationProfile) -> None:
        self.profile = profile
        self.admin = destination.connected_admin(profile)
        self.names: dict[str, str] = {}

    def describe(self, candidate: RemovalCandidate) -> str:
        """Who receives the files of a candidate's account."""
        rule = rules.settings_of(candidate)
        if candidate.is_invitation:
            return "There are no files: the invitation was never accepted"
        if rule.destination == Destination.MANAGER:
            return "The user’s manager"
        if rule.destination == Destination.NAMED:
            return f"The account {self._name(rule.destination_external_id)}"
        if not self.admin:
            return "Nobody is known"
        return f"The administrator who connected the profile, {self._name(self.admin)}"

    def _name(self, external_id: str) -> str:
        """The name of a listed account; its id where it is not listed."""
        if external_id not in self.names:
            listed = Subscription.objects.listed().filter(profile=self.profile, external_id=external_id)
            seat = listed.only("display_name", "email", "external_id").first()
            self.names[external_id] = seat.title if seat else external_id
        return self.names[external_id]


def describe_undo(candidate: RemovalCandidate) -> str:
    """Whether its removal can be undone, and for how long."""
    days = rules.settings_of(candidate).undo_days
    if candidate.is_invitation:
        return "Cannot be undone: somebody who never joined cannot be restored"
    if not days:
        return "Cannot be undone: the files are transferred at once"
    return f"Can be undone for {days} day{'s' if days > 1 else ''}; then the files are moved"
