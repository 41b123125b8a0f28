"""Deleting a profile: what goes, what stays, at any size and in the middle of any work."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from profiles import delete_profile
from profiles.connectors import base
from profiles.models import IntegrationProfile, JobRun, OAuthState, ProcessCheck, ScheduledJob
from samsaas.models import AuditEntry
from subscriptions.activity import reading
from subscriptions.download import download
from subscriptions.models import (
    ActivityCoverage,
    ActivityDay,
    LastActivity,
    Match,
    Person,
    SoftwareModel,
    Subscription,
    UserExclusion,
)
from tests import factories, worlds

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
ALL_OF_A_PROFILE = (
    Subscription,
    LastActivity,
    ActivityDay,
    ActivityCoverage,
    Match,
    ScheduledJob,
    ProcessCheck,
    OAuthState,
    UserExclusion,
)


def inhabited(seats: int) -> IntegrationProfile:
    """A profile with seats that have a person, a last activity and active days."""
    profile, identifier = factories.profile(), factories.identifier()
    now, person = timezone.now(), Person.objects.create(key=profile.display_name, name="Ann")
    rows = Subscription.objects.bulk_create(
        factories.subscription_row(profile=profile, identifier=identifier) for _ in range(seats)
    )
    Match.objects.bulk_create(Match(subscription=row, person=person, at=now) for row in rows)
    LastActivity.objects.bulk_create(LastActivity(subscription=row, at=now, kind="login_success") for row in rows)
    ActivityDay.objects.bulk_create(
        ActivityDay(subscription=row, day=now.date() - timedelta(days=back), events=1, pull=1)
        for row in rows
        for back in range(3)
    )
    factories.coverage(profile, now - timedelta(days=3), now)
    UserExclusion.objects.create(profile=profile, domain="example.com")
    ScheduledJob.objects.create(profile=profile, process=base.DOWNLOAD)
    for row in rows:
        factories.candidate(row)
    return profile


def test_everything_of_the_profile_goes_and_nothing_of_its_neighbor(integrator):
    doomed, neighbor = inhabited(3), inhabited(2)
    run = factories.run(profile=doomed)
    delete_profile.run(doomed, by=integrator.user)
    assert Subscription.objects.count() == LastActivity.objects.count() == Match.objects.count() == 2
    assert ActivityDay.objects.count() == 6
    for model in (ActivityCoverage, UserExclusion, ScheduledJob):
        assert model.objects.get().profile == neighbor, model
    kept = JobRun.objects.get(pk=run.pk)
    assert kept.profile is None and kept.profile_name == doomed.display_name
    assert SoftwareModel.objects.count() == 2 and Person.objects.count() == 2
    told = AuditEntry.objects.get(verb="deleted profile").detail["gone"]
    assert told["software subscriptions"] == 3 and told["scheduled jobs"] == 1


def test_it_costs_the_same_statements_for_one_seat_and_for_three_hundred(integrator):
    def cost(seats: int) -> tuple[int, int]:
        profile = inhabited(seats)
        with CaptureQueriesContext(connection) as asked:
            delete_profile.run(profile, by=integrator.user)
        return len(asked), max(len(query["sql"]) for query in asked.captured_queries)

    (few, shortest), (many, longest) = cost(1), cost(300)
    assert few == many
    assert longest < shortest + 100, "a statement that lists rows grows with their number"


def test_the_page_names_what_goes_in_words_and_leaves_technical_rows_out(integrator):
    profile = inhabited(2)
    page = integrator.get(f"/integration-profiles/{profile.pk}/delete/").content.decode()
    assert "Software subscriptions: 2" in page and "Scheduled jobs: 1" in page
    assert "Subscription user exclusion rules: 1" in page
    for technical in ("authorizations", "process checks", "coverage", "relationships"):
        assert technical not in page.lower()


def when_asked_for(monkeypatch, dropbox, route: str, number: int, act) -> list[str]:
    """Act while the vendor answers the given request of a route; gives the list of its requests as it grows."""
    handle, asked = type(dropbox).handle, []

    def watched(sandbox, request):
        if request.path.endswith(route):
            asked.append(request.path)
            if len(asked) == number:
                act()
        return handle(sandbox, request)

    monkeypatch.setattr(type(dropbox), "handle", watched)
    return asked


def test_deleting_in_the_middle_of_a_download_stops_it_and_leaves_nothing(connected, dropbox, integrator, monkeypatch):
    connected.alias.page_size = 50
    connected.alias.save()
    monkeypatch.setattr(download, "BATCH_RECORDS", 1)
    run = JobRun.objects.get(process=base.DOWNLOAD)
    asked = when_asked_for(
        monkeypatch,
        dropbox,
        "team/members/list/continue_v2",
        2,
        lambda: delete_profile.run(connected, by=integrator.user),
    )
    worlds.work()
    assert len(asked) == 2, "the listing went on after its profile was gone"
    assert_nothing_left()
    run.refresh_from_db()
    assert run.state == "canceled" and run.profile is None and run.items == 100


def test_deleting_in_the_middle_of_a_pull_stops_it_and_leaves_nothing(connected, dropbox, integrator, monkeypatch):
    worlds.work_on()
    assert LastActivity.objects.exists()
    ActivityCoverage.objects.all().delete()  # so that everything is read once more
    monkeypatch.setattr(reading, "BATCH_USES", 1)
    monkeypatch.setattr("profiles.connectors.dropbox.connector.EVENTS_A_PAGE", 100)
    asked = when_asked_for(
        monkeypatch,
        dropbox,
        "team_log/get_events/continue",
        2,
        lambda: delete_profile.run(connected, by=integrator.user),
    )
    run = factories.run(profile=connected, process=base.ACTIVITY, state="queued", trigger="manual")
    worlds.work()
    assert len(asked) == 2, "the reading went on after its profile was gone"
    assert_nothing_left()
    run.refresh_from_db()
    assert run.state == "canceled" and run.profile is None


def assert_nothing_left() -> None:
    assert not IntegrationProfile.objects.exists()
    assert {model.__name__: model.objects.count() for model in ALL_OF_A_PROFILE if model.objects.exists()} == {}


def test_a_deadlock_with_a_worker_is_tried_again(integrator, monkeypatch):
    profile, delete = inhabited(1), delete_profile._delete_rows
    refused = []

    def first_refused(*arguments):
        delete(*arguments)
        if not refused:
            refused.append(True)
            raise OperationalError("deadlock detected")

    monkeypatch.setattr(delete_profile, "_delete_rows", first_refused)
    delete_profile.run(profile, by=integrator.user)
    assert refused and not IntegrationProfile.objects.exists()
    assert AuditEntry.objects.filter(verb="deleted profile").count() == 1


def test_a_reclamation_that_starts_meanwhile_undoes_the_deletion(integrator, monkeypatch):
    profile, below = inhabited(1), delete_profile._delete_below

    def reclaim_starts(model, rows):
        below(model, rows)
        if model is IntegrationProfile:
            factories.run(profile=profile, process=base.RECLAIM, state="running")

    monkeypatch.setattr(delete_profile, "_delete_below", reclaim_starts)
    with pytest.raises(delete_profile.Busy):
        delete_profile.run(profile, by=integrator.user)
    assert Subscription.objects.filter(profile=profile).exists()


def test_a_database_that_keeps_refusing_is_reported_not_hidden(integrator, monkeypatch):
    profile = inhabited(1)

    def refuses(*arguments):
        raise OperationalError("database is locked")

    monkeypatch.setattr(delete_profile, "_delete_rows", refuses)
    with pytest.raises(OperationalError):
        delete_profile.run(profile, by=integrator.user)
    assert IntegrationProfile.objects.filter(pk=profile.pk).exists()
