"""The page of one profile, in tabs: its state and what needs a person, its subscriptions, jobs, and connection."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from profiles import notices, process_rows, validate
from profiles.connectors import base
from profiles.jobs import chain, start
from profiles.models import Credential, IntegrationProfile, JobRun
from profiles.models.run import VALIDATE
from profiles.oauth import outcomes, scopes
from samsaas.lib.sight import Sight

RECENT_RUNS = 5
OVERVIEW, SUBSCRIPTIONS, JOBS, CONNECTION = "overview", "subscriptions", "jobs", "connection"
TABS = {  # tab: its label and its URL name
    OVERVIEW: ("Overview", "profile_detail"),
    SUBSCRIPTIONS: ("Subscriptions", "profile_subscriptions"),
    JOBS: ("Jobs and coverage", "profile_jobs"),
    CONNECTION: ("Connection", "profile_connection"),
}


@dataclass(frozen=True)
class Tab:
    """One tab of the page, as a link. `waiting` counts what waits there for a person."""

    label: str
    url: str
    is_current: bool
    waiting: int = 0


@dataclass(frozen=True)
class Watched:
    """The run whose progress the page shows.

    Of a run that ended, `coming` names the step that starts next in its chain.
    """

    run: JobRun
    coming: str = ""


def page_context(profile: IntegrationProfile, tab: str, sight: Sight) -> dict[str, Any]:
    """What every tab shows, and what this one shows besides."""
    now = timezone.now()
    credentials = {credential.purpose: credential for credential in profile.alias.credentials.all()}
    runs = list(profile.runs.select_related("requested_by", "followed_by")[:RECENT_RUNS])
    main = credentials.get(base.SUBSCRIPTIONS)
    checks, jobs = list(profile.checks.select_related("run")), process_rows.jobs_of(profile)
    validating = any(run.process == VALIDATE for run in runs if run.is_active)
    banners = notices.for_profile(profile, main, checks=checks, jobs=jobs, validating=validating, sight=sight, now=now)
    failure = _failed_authorization(profile)
    if failure:  # the failure says what to do, so the first-step notice is left out
        banners = [banner for banner in banners if banner.tone != "info"]
    context = {
        "profile": profile,
        "vendor": profile.vendor_info,
        "credentials": [credentials[purpose] for purpose in Credential.Purpose.values if purpose in credentials],
        "main": main,
        "runs": runs,
        "watched": _run_to_follow(runs, now),
        "failure": failure,
        "notices": banners,
        "tabs": _tabs(profile, tab, waiting=len(banners) + bool(failure)),
        "can_download": can_download(profile),
        "can_validate": validate.can_validate(profile),
        "download_job": next((job for job in jobs if job.process == base.DOWNLOAD), None),
    }
    if tab == JOBS:
        context["processes"] = process_rows.rows_of(profile, checks, jobs)
    return context | (_connection_facts(profile) if tab == CONNECTION else {})


def _tabs(profile: IntegrationProfile, current: str, *, waiting: int) -> list[Tab]:
    return [
        Tab(label, reverse(name, args=[profile.pk]), key == current, waiting if key == OVERVIEW else 0)
        for key, (label, name) in TABS.items()
    ]


def _connection_facts(profile: IntegrationProfile) -> dict[str, Any]:
    return {
        "files_to": scopes.reclamation_admin(profile),
        "session_scope": scopes.session_scope(profile, base.SUBSCRIPTIONS),
        "excess": scopes.excess_by_purpose(profile),
        "redirect_url": settings.OAUTH_REDIRECT_URL,
    }


def _failed_authorization(profile: IntegrationProfile) -> dict[str, Any] | None:
    """The last press of Get OAuth Token with its outcome, if no token was stored."""
    last = profile.authorizations.exclude(outcome="").order_by("-pk").first()
    outcome = outcomes.OUTCOMES.get(last.outcome) if last else None
    return {"attempt": last, "outcome": outcome} if outcome and not outcome.stored else None


def _run_to_follow(runs: list[JobRun], now: datetime) -> Watched | None:
    active = [run for run in runs if run.is_active]
    if active:
        return Watched(min(active, key=lambda run: run.state == JobRun.State.WAITING))
    ended = (Watched(run, chain.next_step_label(run, now=now)) for run in runs)
    return next((step for step in ended if step.coming), None)


def can_download(profile: IntegrationProfile) -> bool:
    return not start.refusal(profile, base.DOWNLOAD)
