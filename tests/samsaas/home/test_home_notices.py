"""Home and the list of profiles show the same needs as the profiles' own pages, for one profile and for thirty."""

from __future__ import annotations

from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.utils import timezone

from profiles.connectors import base
from profiles.models import IntegrationProfile, JobRun, ProcessCheck, ScheduledJob
from profiles.models.run import VALIDATE
from tests import factories, pages

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

PLACES = ("/", "/integration-profiles/")
SCOPES = ["events.read", "members.delete", "members.read", "members.write", "team_info.read"]


def refreshed(hours: float = 1, **fields: Any) -> IntegrationProfile:
    """A profile that refreshes itself daily, the last time so many hours ago."""
    then = timezone.now() - timedelta(hours=hours)
    profile = factories.profile(
        refreshed_at=then, activity_refreshed_at=then, analyze_activity_from=then - timedelta(days=9), **fields
    )
    factories.credential(alias=profile.alias, state="connected", granted_scopes=SCOPES)
    factories.coverage(profile, profile.analyze_activity_from, then)
    for process in ScheduledJob.Process.values:
        ScheduledJob.objects.create(profile=profile, process=process)
        ProcessCheck.objects.create(profile=profile, process=process, passed=True, message="Fine.", checked_at=then)
        factories.run(profile=profile, process=process, finished_at=then)
    return profile


def told(client: Any, path: str) -> str:
    page = client.get(path).content.decode().split("<main", 1)[1]
    return unescape(pages.text_of(page))


def paused(profile: IntegrationProfile) -> None:
    profile.scheduled_jobs.update(paused=True)


def failed_validation(profile: IntegrationProfile) -> None:
    profile.checks.filter(process=base.ACTIVITY).update(passed=False, message="No.", remedy="Mend it.")


def failed_refresh(profile: IntegrationProfile) -> None:
    profile.runs.filter(process=base.ACTIVITY).update(state=JobRun.State.FAILED)


def changed(profile: IntegrationProfile) -> None:
    IntegrationProfile.objects.filter(pk=profile.pk).update(status=IntegrationProfile.Status.DRAFT)


def test_a_beat_that_was_dead_over_the_weekend_is_seen_on_monday(signed_in: Any) -> None:
    profile = refreshed(hours=72)
    reader = signed_in("sam_user")
    for path in (*PLACES, profile.get_absolute_url()):
        assert "Data is stale since" in told(reader, path), path
        assert "Activity is not covered throughout" in told(reader, path), path
    assert "1 profile needs you" in told(reader, "/")


@pytest.mark.parametrize(
    ("happened", "title"),
    [
        (paused, "The daily refresh is paused"),
        (failed_validation, "Validation failed: Pull user activity"),
        (failed_refresh, "Last refresh failed on"),
        (changed, "Validation needed"),
    ],
)
def test_what_a_profile_needs_is_said_wherever_it_is_listed(signed_in: Any, happened: Any, title: str) -> None:
    profile, reader = refreshed(), signed_in("sam_user")
    for path in (*PLACES, profile.get_absolute_url()):
        assert title not in told(reader, path)
    happened(profile)
    for path in (*PLACES, profile.get_absolute_url()):
        assert title in told(reader, path), path


def test_a_profile_that_is_in_order_asks_for_nothing_and_so_does_one_that_is_being_validated(signed_in: Any) -> None:
    refreshed()
    validating = refreshed()
    failed_validation(validating)
    factories.run(profile=validating, process=VALIDATE, state=JobRun.State.RUNNING)
    reader = signed_in("sam_user")
    assert "need you" not in told(reader, "/") and "needs you" not in told(reader, "/")
    assert "Validation failed" not in told(reader, "/integration-profiles/")


def test_of_many_profiles_those_that_need_somebody_come_first_the_worst_before_the_others(signed_in: Any) -> None:
    for number in range(9):
        refreshed(display_name=f"A healthy {number}")
    for number in range(9):
        refreshed(display_name=f"Stale {number}", hours=72)
    failed_refresh(refreshed(display_name="Zulu"))
    page = signed_in("sam_user").get("/").content.decode()
    assert list(pages.rows(page, "Profile")) == ["Zulu", *(f"Stale {number}" for number in range(7))]
    told = pages.text_of(page)
    assert "10 profiles need you" in told and "show what the others need" in told


def test_saying_it_costs_the_same_for_one_profile_and_for_thirty(signed_in: Any) -> None:
    reader = signed_in("sam_user")
    failed_refresh(refreshed(hours=72))
    before = [pages.cost(reader, path) for path in PLACES]
    for _ in range(29):
        failed_refresh(refreshed(hours=72))
    assert [pages.cost(reader, path) for path in PLACES] == before
