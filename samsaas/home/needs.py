"""What needs a person, in the order in which it should be looked at: each kind with the list of exactly these rows.

Profiles that need somebody come before all of it (`urgent_profiles`): their failed runs and lost authorizations.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.models import User
from django.urls import reverse

from profiles import notices
from profiles.models import IntegrationProfile
from reclamation import jump, waiting
from reclamation.removal import automatic
from reclamation.rules import figures as rule_figures
from reclamation.waiting import Rank, Waiting
from samsaas import policy
from subscriptions.entitlements.terms import Book
from subscriptions.models import MetricResult, ReconciliationRun, SubscriptionIdentifier
from subscriptions.people.imports import feed
from subscriptions.renewals import recommend, rows
from subscriptions.renewals.rows import Urgency
from subscriptions.seat_counts.count import WITHOUT_USER
from subscriptions.seat_counts.stored import SeatFigures
from subscriptions.templatetags import coverage

TONES = {"bad": 0, "warn": 1, "info": 2, "idle": 3}


def urgent_profiles(now: datetime) -> list[Any]:
    """All profiles with their `notices`, most urgent first."""
    profiles: list[Any] = list(IntegrationProfile.objects.select_related("alias").order_by("display_name"))
    needs = notices.urgent_by_profile(profiles, None, now)
    for profile in profiles:
        profile.notices = needs[profile.pk]
    coverage.add_gaps(profiles)
    jump.add_notices(profiles, now)
    automatic.add_notices(profiles, now)
    return sorted(profiles, key=lambda one: (not one.attention, min((TONES[n.tone] for n in one.notices), default=9)))


def is_urgent(profile: Any) -> bool:
    """Whether a profile of `urgent_profiles` needs somebody now."""
    return bool(profile.attention) or TONES[profile.notices[0].tone] < TONES["info"]


def list_needs(
    user: User,
    states: Mapping[str, int],
    *,
    seats: SeatFigures,
    metrics: Sequence[MetricResult],
    book: Book,
    whole_run: ReconciliationRun | None,
    today: date,
) -> list[Waiting]:
    """What waits for somebody with the roles of this account. Kinds without any are left out.

    `states` are the numbers of open candidates by their state.
    """
    found = [
        *waiting.list_for(user, seats, states),
        *_of_position(metrics, book, whole_run, today),
        *_of_recognition(seats),
        *_of_people(user),
        *_of_rules(user),
    ]
    return sorted((one for one in found if one.count or one.count is None), key=lambda one: one.rank)


def _of_position(
    metrics: Sequence[MetricResult], book: Book, whole_run: ReconciliationRun | None, today: date
) -> Iterator[Waiting]:
    if whole_run and whole_run.state != ReconciliationRun.State.COMPLETED:
        label, url = f"Reconciliation {whole_run.get_state_display().lower()}", whole_run.get_absolute_url()
        yield Waiting(Rank.FAILED_RUNS, None, label, "the results of before stand", url, "bad")
    models = {key for one in metrics if (key := one.model_result.software_model_id)}
    urgencies = [rows.urgency_of(one, today) for one in recommend.list_due(book, models, today)]
    for urgency, label, note in (
        (Urgency.SOON, "Renewals", "of which the vendor must know a reduction within 30 days"),
        (Urgency.AUTO_RENEWED, "Entitlements", "perhaps auto-renewed: record the renewal"),
    ):
        url = f"{reverse('renewals')}?{urlencode({'urgency': urgency.value})}"
        yield Waiting(Rank.RENEWALS, urgencies.count(urgency), label, note, url)
    out = {one.model_result.publisher for one in metrics if one.is_out_of_compliance}
    url = f"{reverse('license-usage')}?status=out"
    yield Waiting(Rank.COMPLIANCE, len(out), "Publishers", "of which more is in use than is owned", url, "bad")
    figures = whole_run.figures if whole_run else {}
    drifting = sum(bool(one["drift"]) for kind in ("profiles", "vendors") for one in figures.get(kind, ()))
    note = "between the vendors’ counts and what is counted here"
    yield Waiting(Rank.DRIFT, drifting, "Differences", note, reverse("vendor-drift"), "info")


def _of_recognition(seats: SeatFigures) -> Iterator[Waiting]:
    if seats.total[WITHOUT_USER]:  # the figure stands among what is paid for and not needed
        label, note = "Match subscriptions without user", "so that it is seen when somebody leaves"
        yield Waiting(Rank.UNMATCHED, None, label, note, reverse("unmatched_list"), "info")
    unknown = SubscriptionIdentifier.objects.filter(software_model=None).count()
    url, note = f"{reverse('identifier_list')}?recognized=no", "of no software model, so in no license position"
    yield Waiting(Rank.UNRECOGNIZED, unknown, "Subscription identifiers", note, url)


def _of_people(user: User) -> Iterator[Waiting]:
    """The file that should keep people fresh by itself, where it waits or did not come."""
    if not settings.PEOPLE_SOURCE or not policy.may(user, "person_import_detail"):
        return
    files = feed.waiting_files()
    if files:
        note = "that came by itself and waits for a person"
        yield Waiting(Rank.PEOPLE, len(files), "Files of people", note, files[0].get_absolute_url())
    if run := feed.failed_run():
        yield Waiting(Rank.PEOPLE, None, "People were not fetched", run.error_message, run.get_absolute_url(), "bad")


def _of_rules(user: User) -> Iterator[Waiting]:
    if policy.may(user, "rule_review", "POST"):
        rules = list(rule_figures.waiting_for_review())
        url = rules[0].get_absolute_url() if len(rules) == 1 else f"{reverse('rule_list')}?review=no"
        yield Waiting(Rank.RULES, len(rules), "Reclamation rules", "to be reviewed; until then nobody is asked", url)
