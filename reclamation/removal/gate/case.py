"""Everything that the guards judge of one attempt: what is stored, and what the vendor was just asked.

`load` reads what is stored for many attempts of one profile at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Q
from django.utils import timezone

from profiles.connectors import base
from profiles.models import IntegrationProfile
from profiles.oauth import scopes
from reclamation import guards, rules
from reclamation.asking import notices
from reclamation.models import (
    Approval,
    Notice,
    ReclamationRule,
    RemovalAttempt,
    RemovalBatch,
    RemovalCandidate,
)
from reclamation.removal import destination, limits, switch
from reclamation.removal.gate.asked import VendorAnswers
from reclamation.states import State
from subscriptions.activity import last_used
from subscriptions.models import Subscription
from subscriptions.models.person import has_left

INVITED, SUSPENDED = "invited", "suspended"
FEW = 10


@dataclass(frozen=True)
class TeamFacts:
    """What is true of every attempt of a profile at this moment."""

    profile: IntegrationProfile
    now: datetime
    paused: str
    figures: limits.Figures
    process_scopes: dict[str, scopes.ProcessScopes]
    receiving: frozenset[str]
    destinations_that_are_candidates: frozenset[str]
    full_admins: frozenset[str]
    asked_elsewhere: frozenset[str]


@dataclass(frozen=True)
class Case:
    """One attempt with its facts. `asked` is None until the vendor was asked about the member."""

    attempt: RemovalAttempt
    seat: Any | None
    rule: ReclamationRule
    team: TeamFacts
    exempt: bool
    notice_over: bool
    was_asked: bool
    asked_in_vain: bool
    approved_by: frozenset[int]
    where_to: destination.Destination
    asked: VendorAnswers | None = None

    @property
    def candidate(self) -> RemovalCandidate:
        return self.attempt.candidate

    @property
    def batch(self) -> RemovalBatch | None:
        return self.attempt.batch

    @property
    def profile(self) -> IntegrationProfile:
        return self.team.profile

    @property
    def now(self) -> datetime:
        return self.team.now

    @property
    def today(self) -> date:
        return timezone.localtime(self.now).date()

    @property
    def by_hand(self) -> bool:
        """Whether a person pressed Reclaim, also if the user was silent afterwards."""
        return self.batch is not None and self.batch.requested_by_id is not None

    @property
    def is_leaver(self) -> bool:
        return self.candidate.is_leaver

    @property
    def is_invitation(self) -> bool:
        return self.candidate.is_invitation or (self.seat is not None and self.seat.status == INVITED)

    @property
    def use_matters(self) -> bool:
        """Whether use is a reason not to remove. It is none for software that must not be used, on a person's word."""
        return self.candidate.is_canceled_by_use

    @property
    def since(self) -> datetime:
        """Since when there must not be any use: the threshold, or the day after a leaver's last day."""
        left_on = self.left_on
        if self.is_leaver and left_on:
            return last_used.midnight(self.now, (self.today - left_on).days - 1)
        return last_used.midnight(self.now, self.rule.threshold_days - 1)

    @property
    def person(self) -> Any | None:
        return self.seat.match.person if self.seat is not None and hasattr(self.seat, "match") else None

    @property
    def left_on(self) -> date | None:
        return self.person.left_on if self.person else None

    @property
    def user_has_left(self) -> bool:
        """Whether the last day of the seat's user is over now. Who has left is not asked, whatever the reason was."""
        return has_left(self.left_on, self.today)

    def as_listed(self) -> base.Seat:
        """The seat in the vendor's form, for the question about its use."""
        seat = self.seat
        return base.Seat(
            external_id=self.attempt.external_id,
            identifier=seat.identifier.identifier if seat else "",
            email=seat.email if seat else "",
            status=seat.status if seat else "",
            vendor_status=seat.vendor_status if seat else "",
            consumes_license=bool(seat and seat.consumes_license),
            account_id=seat.account_id if seat else "",
        )


def load(attempts: Sequence[RemovalAttempt], profile: IntegrationProfile, *, now: datetime) -> list[Case]:
    """The cases of these attempts of a profile, with what is stored, in their order."""
    where = [destination.find(attempt) for attempt in attempts]
    team = _team_facts(profile, attempts, {one.external_id for one in where} - {""}, now)
    candidates = [attempt.candidate_id for attempt in attempts]
    seats = _seats(attempts, now)
    all_questions = Notice.objects.filter(notices.asking(), candidate__in=candidates)
    questions = all_questions.filter(notices.reached())
    asked = set(questions.values_list("candidate", flat=True))
    in_vain = set(all_questions.values_list("candidate", flat=True)) - asked
    over = set(questions.filter(expires_at__lte=now).values_list("candidate", flat=True))
    approved = _approvers(candidates)
    cases = []
    for attempt, where_to in zip(attempts, where, strict=True):
        seat = seats.get(attempt.candidate.subscription_id or 0)
        cases.append(
            Case(
                attempt=attempt,
                seat=seat,
                rule=rules.settings_of(attempt.candidate),
                team=team,
                exempt=bool(seat and seat.is_exempt),
                notice_over=attempt.candidate_id in over,
                was_asked=attempt.candidate_id in asked,
                asked_in_vain=attempt.candidate_id in in_vain,
                approved_by=frozenset(approved.get(attempt.candidate_id, ())),
                where_to=where_to,
            )
        )
    return cases


def _team_facts(
    profile: IntegrationProfile, attempts: Sequence[RemovalAttempt], destinations: set[str], now: datetime
) -> TeamFacts:
    team = limits.profiles_of_team(profile)
    others = RemovalCandidate.objects.open().filter(profile__in=team)
    return TeamFacts(
        profile=profile,
        now=now,
        paused=switch.paused_because(profile),
        figures=limits.figures_for(profile, now=now),
        process_scopes={row.process.key: row for row in scopes.by_grant(profile)},
        receiving=destination.receiving(profile, now=now),
        destinations_that_are_candidates=frozenset(
            others.filter(external_id__in=destinations).values_list("external_id", flat=True)
        ),
        full_admins=frozenset(_full_admins(team)),
        asked_elsewhere=_asked_elsewhere(team[1:], {attempt.external_id for attempt in attempts}),
    )


def _asked_elsewhere(others: Sequence[IntegrationProfile], accounts: set[str]) -> frozenset[str]:
    """The accounts of which another profile of the team still waits for the word of a user or an approver."""
    if not others:
        return frozenset()
    waiting = RemovalCandidate.objects.filter(state__in=(State.AWAITING_USER, State.AWAITING_APPROVAL))
    found = waiting.filter(profile__in=others, external_id__in=accounts)
    return frozenset(found.values_list("external_id", flat=True))


def _full_admins(team: Sequence[IntegrationProfile]) -> list[str]:
    """Accounts with full rights that the vendor lists; of more than a few, a few."""
    listed = Subscription.objects.listed().filter(profile__in=team, is_full_admin=True, status="active").order_by()
    return list(listed.values_list("external_id", flat=True).distinct()[:FEW])


def _seats(attempts: Iterable[RemovalAttempt], now: datetime) -> dict[int, Any]:
    keys = [one.candidate.subscription_id for one in attempts if one.candidate.subscription_id]
    related = ("last_activity", "match__person", "identifier__software_model", "profile")
    seats = Subscription.objects.select_related(*related).filter(pk__in=keys)
    exempt = guards.is_exempt(timezone.localtime(now).date())
    described = last_used.with_idle_facts(seats.annotate(guard=guards.first_failing(), is_exempt=exempt), now)
    return {seat.pk: seat for seat in described}


def _approvers(candidates: Sequence[int]) -> dict[int, set[int]]:
    """Who said yes to the removal of each candidate, or no to its user's wish to keep it."""
    questions = Approval.Question
    yes = Q(question__in=(questions.REMOVAL, questions.BATCH), answer=Approval.Answer.APPROVE)
    yes |= Q(question=questions.KEEP_REQUEST, answer=Approval.Answer.REJECT)
    answered = Approval.objects.filter(yes, candidate__in=candidates, answered_by__isnull=False)
    found: dict[int, set[int]] = {}
    for candidate, account in answered.values_list("candidate", "answered_by"):
        found.setdefault(candidate, set()).add(account)
    return found
