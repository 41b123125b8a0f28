"""What is left to do after the first connection. The list goes away when every step is done, or was ticked off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import Q
from django.urls import reverse

from profiles.models import IntegrationProfile
from reclamation.models import ReclamationRule
from reclamation.rules import figures as rule_figures
from samsaas import audit, roles
from samsaas.models import ChecklistTick
from subscriptions.models import Entitlement, IdentifierExclusion, Person, SoftwareModel, UserExclusion

PEOPLE, COST, RULE, EXCLUSIONS = "people", "cost", "rule", "exclusions"
STEPS = (PEOPLE, COST, RULE, EXCLUSIONS)


@dataclass(frozen=True)
class FirstStep:
    """One step. `role` may take it, and whose it is not reads who can."""

    key: str
    label: str
    why: str
    page: str
    action: str
    role: str
    is_done: bool

    @property
    def url(self) -> str:
        """The page of the step; of the only rule that waits, if there is but one."""
        rules = list(rule_figures.waiting_for_review()[:2]) if self.key == RULE else []
        return rules[0].get_absolute_url() if len(rules) == 1 else reverse(self.page)


def steps() -> list[FirstStep]:
    """The steps, done or not; nothing before the first list of subscriptions, or when all of them are done."""
    if not IntegrationProfile.objects.filter(refreshed_at__isnull=False).exists():
        return []
    ticked = set(ChecklistTick.objects.values_list("key", flat=True))
    found = [_make_step(key, key in ticked or _is_done(key)) for key in STEPS]
    return [] if all(step.is_done for step in found) else found


def tick(key: str, *, by: User, now: datetime) -> bool:
    """Note that a step needs nothing more. False if it was noted before."""
    _, is_new = ChecklistTick.objects.get_or_create(key=key, defaults={"by": by, "at": now})
    if is_new:
        audit.record(by, "ticked off step after connecting", None, step=key)
    return is_new


def _is_done(key: str) -> bool:
    if key == PEOPLE:
        return Person.objects.exists()
    if key == COST:
        has_cost = SoftwareModel.objects.filter(~Q(cost_override=None))
        return Entitlement.objects.exists() or has_cost.exists()
    if key == RULE:
        return ReclamationRule.objects.filter(reviewed_at__isnull=False).exists()
    return IdentifierExclusion.objects.exists() or UserExclusion.objects.exists()


def _make_step(key: str, is_done: bool) -> FirstStep:
    texts = {
        PEOPLE: (
            "Import people",
            "Then it is known whose a subscription is, who has left, and whom to ask.",
            *("person_import_new", "Import people", roles.SAM_ADMIN),
        ),
        COST: (
            "Set a cost, or record an entitlement",
            "Then the position says what is paid for, what is missing, and what it costs.",
            *("entitlement_new", "Record an entitlement", roles.SAM_USER),
        ),
        RULE: (
            "Review the reclamation rule",
            "It was made by samsaas. Nobody is asked and nothing is removed before a person has read it.",
            *("rule_list", "Open the rules", roles.SAM_ADMIN),
        ),
        EXCLUSIONS: (
            "Review the exclusions",
            "Service accounts and test users should count nowhere. Without any, tick it off.",
            *("identifier_exclusion_list", "Open the exclusions", roles.SAM_ADMIN),
        ),
    }
    return FirstStep(key, *texts[key], is_done=is_done)
