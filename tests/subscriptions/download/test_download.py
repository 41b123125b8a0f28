"""Downloading subscriptions: from the first page to the published list, and what stops on the way."""

from __future__ import annotations

import pytest
from django.db import connection

from profiles.connectors import base
from profiles.jobs import execute as executor
from profiles.models import IntegrationProfile, JobRun
from subscriptions.download import download, staging
from subscriptions.models import SoftwareModel, Subscription, SubscriptionIdentifier
from tests.subscriptions import download_world as world
from tests.subscriptions.download_world import current, execute, ids, queue_run, refresh, seat, seats

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def every_page_commits(monkeypatch) -> None:
    monkeypatch.setattr(download, "BATCH_RECORDS", 1)


def tables() -> list[str]:
    with connection.cursor() as cursor:
        return [name for name in connection.introspection.table_names(cursor) if name.startswith(staging.PREFIX)]


def test_the_first_download_publishes_every_account(tenant, profile):
    tenant.members = seats(5)
    tenant.provisioned = 5

    run = refresh(profile)

    assert (run.state, run.error_message) == (JobRun.State.SUCCEEDED, "")
    assert current(profile) == ids(tenant.members)
    assert (run.pages, run.items, run.expected_items) == (3, 5, 5)
    assert run.counters["seen"] == run.counters["new"] == 5
    profile.refresh_from_db()
    assert profile.refreshed_at == world.NOW
    assert (profile.licenses_reported, profile.seats_provisioned_reported, profile.seats_used_reported) == (100, 5, 7)
    assert tables() == []


def test_every_field_of_a_seat_is_stored_as_the_vendor_said_it(tenant, profile):
    said = seat(
        "ada",
        email_verified=True,
        given_name="Ada",
        surname="L\t\\N'\"",
        account_id="dbid:ada",
        employee_id="E1",
        secondary_emails=("a@x.example", "b@x.example"),
        roles=("Team",),
        is_admin=True,
        status="suspended",
        vendor_status="suspended",
        invited_at=world.NOW.replace(microsecond=5),
        suspended_at=world.NOW,
    )
    tenant.members = [said]
    refresh(profile)

    stored = Subscription.objects.select_related("identifier").get()
    for name in set(staging.VALUES) - {"secondary_emails", "roles"}:
        assert getattr(stored, name) == getattr(said, name), name
    assert stored.identifier.identifier == "full"
    assert (stored.secondary_emails, stored.roles) == ("a@x.example\nb@x.example", "Team")
    assert stored.first_seen_at == stored.changed_at == world.NOW


def test_software_models_appear_with_their_first_seat(tenant, profile):
    tenant.members = [seat("ada"), seat("bob", identifier="limited")]
    refresh(profile)

    kinds = {kind.identifier: kind for kind in profile.vendor_info.seat_types}
    for identifier in SubscriptionIdentifier.objects.select_related("software_model"):
        kind = kinds[identifier.identifier]
        model = identifier.software_model
        assert (model.publisher, model.product, model.edition) == (kind.publisher, kind.product, kind.edition)
    assert SoftwareModel.objects.count() == 2


def test_an_unknown_seat_type_is_kept_as_unrecognized_and_told(tenant, profile):
    tenant.members = [*seats(3), seat("eve", identifier="hologram")]
    run = refresh(profile)

    assert SubscriptionIdentifier.objects.get(identifier="hologram").software_model is None
    assert "dbmid:eve" in current(profile)
    assert run.counters["unmatched"] == 1
    assert "hologram" in run.warnings[0]


def test_a_model_chosen_by_an_administrator_stays(tenant, profile):
    tenant.members = [seat("eve", identifier="hologram"), seat("ada")]
    refresh(profile)
    chosen = SoftwareModel.objects.create(publisher="Us", product="Chosen")
    SubscriptionIdentifier.objects.update(software_model=chosen)

    assert refresh(profile).counters["unmatched"] == 0
    assert set(SubscriptionIdentifier.objects.values_list("software_model", flat=True)) == {chosen.pk}


def test_another_team_behind_the_token_changes_nothing(tenant, profile):
    tenant.members = seats(3)
    refresh(profile)
    tenant.team_id, tenant.members, tenant.provisioned = "dbtid:other", seats(3, first=50), 3

    run = refresh(profile)

    assert (run.state, run.error_kind) == (JobRun.State.FAILED, "Refused")
    assert "Get OAuth Token" in run.error_remedy
    assert current(profile) == ids(seats(3))
    profile.refresh_from_db()
    assert profile.seats_provisioned_reported is None


def test_a_failing_page_leaves_the_old_list(tenant, profile):
    tenant.members = seats(6)
    refresh(profile)
    for number in (1, 2, 3):
        tenant.members = seats(6, first=3)
        tenant.before = {number: base.TryLater("The vendor is down.")}
        run = refresh(profile)
        assert (run.state, run.error_kind) == (JobRun.State.FAILED, "TryLater")
        assert current(profile) == ids(seats(6))


def test_the_tables_of_failed_runs_are_swept_and_those_of_active_ones_stay(tenant, profile):
    tenant.members = seats(6)
    tenant.before = {3: base.TryLater("The vendor is down.")}
    refresh(profile)
    other = queue_run(world.make_profile("Two"))
    staging.create_table(other.pk)
    assert len(tables()) == 2

    assert staging.drop_orphans() == 1
    assert tables() == [staging.table_name(other.pk)]


def test_a_killed_worker_goes_on_at_its_cursor(tenant, profile):
    tenant.members = seats(6)
    tenant.before = {3: world.Killed()}
    run = queue_run(profile)
    with pytest.raises(world.Killed):
        execute(run)
    assert current(profile) == set()
    world.lose_worker(run)
    tenant.asked.clear()
    JobRun.objects.filter(pk=run.pk).update(cursor_at=world.NOW)

    assert execute(run, days=0.01).state == JobRun.State.SUCCEEDED
    assert tenant.asked == ["2"]
    assert current(profile) == ids(seats(6))
    assert run.counters["duplicates"] == 0


def test_a_worker_killed_after_the_last_page_only_publishes(tenant, profile, monkeypatch):
    tenant.members = [*seats(5), base.SetAside(reason="odd", external_id="dbmid:odd")]
    run = queue_run(profile)

    def killed(*args, **kwargs):
        raise world.Killed

    with monkeypatch.context() as patch, pytest.raises(world.Killed):
        patch.setattr(download.publish, "run", killed)
        execute(run)
    world.lose_worker(run)
    JobRun.objects.filter(pk=run.pk).update(cursor_at=world.NOW)
    tenant.asked.clear()

    assert execute(run).state == JobRun.State.SUCCEEDED
    assert tenant.asked == []
    assert (run.counters["seen"], run.counters["set_aside"]) == (5, 1)


@pytest.mark.parametrize("damage", ["old cursor", "emptied table", "lost table"])
def test_a_successor_that_cannot_build_on_staging_starts_over(tenant, profile, damage):
    tenant.members = seats(6)
    tenant.before = {3: world.Killed()}
    run = queue_run(profile)
    with pytest.raises(world.Killed):
        execute(run)
    world.lose_worker(run)
    JobRun.objects.filter(pk=run.pk).update(cursor_at=world.NOW)
    if damage == "emptied table":
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {staging.table_name(run.pk)}")
    if damage == "lost table":
        staging.drop_table(run.pk)
    tenant.asked.clear()

    assert execute(run, days=0.05 if damage == "old cursor" else 0.01).state == JobRun.State.SUCCEEDED
    assert tenant.asked == ["", "1", "2"]
    assert current(profile) == ids(seats(6))
    assert (run.items, run.counters["duplicates"]) == (6, 0)


def test_a_throttled_run_waits_in_the_queue_and_goes_on_at_its_cursor(tenant, profile, monkeypatch):
    monkeypatch.setattr(download, "BATCH_RECORDS", 5000)
    tenant.members = seats(6)
    tenant.before = {2: base.Throttled("Slow down.", retry_after=600)}
    run = execute(queue_run(profile))
    assert (run.state, run.cursor, run.items) == (JobRun.State.QUEUED, "1", 2)
    world.lose_worker(run)
    JobRun.objects.filter(pk=run.pk).update(cursor_at=world.NOW)
    tenant.asked.clear()

    assert execute(run).state == JobRun.State.SUCCEEDED
    assert tenant.asked == ["1", "2"]
    assert current(profile) == ids(seats(6))


def test_a_cursor_reset_starts_the_listing_again_within_the_run(tenant, profile):
    tenant.members = seats(6)
    tenant.before = {3: base.ListingReset("The cursor is gone.")}
    run = refresh(profile)

    assert run.state == JobRun.State.SUCCEEDED
    assert (run.items, run.counters["seen"], run.counters["duplicates"]) == (6, 6, 0)
    assert "started again" in run.warnings[0]


def test_a_vendor_who_forgets_every_cursor_fails_the_run(tenant, profile):
    tenant.members = seats(6)

    def forget() -> None:
        tenant.before[3] = forget
        raise base.ListingReset("The cursor is gone.")

    tenant.before[3] = forget
    run = refresh(profile)

    assert (run.state, run.error_kind) == (JobRun.State.FAILED, "ListingReset")
    assert tenant.asked.count("") == 1 + download.MOST_RESTARTS


def test_a_listing_that_stops_although_there_was_more_is_no_list(tenant, profile):
    tenant.members = seats(6)
    refresh(profile)
    tenant.members, tenant.last_has_more = seats(4), True
    run = refresh(profile)

    assert (run.state, run.error_kind) == (JobRun.State.FAILED, "ProtocolError")
    assert current(profile) == ids(seats(6))


def test_a_listing_that_repeats_its_cursor_is_stopped(tenant, profile, monkeypatch):
    page = base.Page(items=seats(2), cursor="same", has_more=True)
    monkeypatch.setattr(tenant, "seats", lambda cursor="": iter([page] * 1000))
    run = refresh(profile)
    assert (run.state, run.error_kind) == (JobRun.State.FAILED, "ProtocolError")
    assert "circles" in run.error_message


def test_a_listing_far_beyond_the_vendors_count_is_stopped(tenant, profile, monkeypatch):
    monkeypatch.setattr(download, "BATCH_RECORDS", 4)
    tenant.members, tenant.provisioned = seats(30), 5
    run = refresh(profile)
    assert (run.state, run.error_kind) == (JobRun.State.FAILED, "ProtocolError")


def test_empty_pages_with_more_to_come_are_normal(tenant, profile, monkeypatch):
    pages = [
        base.Page(items=[], cursor="1", has_more=True),
        base.Page(items=seats(2), cursor="2", has_more=True),
        base.Page(items=[], cursor="3"),
    ]
    monkeypatch.setattr(tenant, "seats", lambda cursor="": iter(pages))
    assert refresh(profile).state == JobRun.State.SUCCEEDED
    assert current(profile) == ids(seats(2))


def test_progress_tells_how_far_and_how_fast(tenant, profile):
    tenant.members, tenant.provisioned = seats(5), 5
    told = []
    run = queue_run(profile)

    def look() -> None:
        told.append(JobRun.objects.get(pk=run.pk))

    tenant.before = {3: look}
    execute(run)
    assert (told[0].pages, told[0].items) == (2, 4)
    assert told[0].step.startswith("Listing: 4 of about 5 accounts, ")


def test_a_canceled_run_stops_at_the_next_page_and_changes_nothing(tenant, profile):
    tenant.members = seats(6)
    run = queue_run(profile)
    tenant.before = {2: lambda: JobRun.objects.filter(pk=run.pk).update(cancel_requested=True)}
    assert execute(run).state == JobRun.State.CANCELED
    assert current(profile) == set()


def test_a_worker_that_lost_its_lease_writes_nothing_more(tenant, profile):
    tenant.members = seats(6)
    run = queue_run(profile)
    tenant.before = {3: lambda: JobRun.objects.filter(pk=run.pk).update(generation=99)}
    execute(run)
    assert (run.state, run.items) == (JobRun.State.RUNNING, 4)
    assert staging.count_rows(run.pk) == 4
    assert current(profile) == set()


def test_a_profile_deleted_while_listing_stops_the_run_without_orphans(tenant, profile):
    tenant.members = seats(6)
    run = queue_run(profile)

    def delete() -> None:
        JobRun.objects.filter(pk=run.pk).update(generation=99, state=JobRun.State.CANCELED)
        IntegrationProfile.objects.filter(pk=profile.pk).delete()

    tenant.before = {3: delete}
    execute(run)
    assert Subscription.objects.count() == 0
    assert staging.drop_orphans() == 1


def test_a_second_message_for_the_same_run_does_nothing(tenant, profile):
    tenant.members = seats(3)
    run = refresh(profile)
    finished = run.finished_at
    tenant.asked.clear()
    executor.run(run.pk, download.run)
    run.refresh_from_db()
    assert (run.finished_at, tenant.asked) == (finished, [])


def test_retries_and_waiting_of_the_connector_show_on_the_run(tenant, profile):
    tenant.members = seats(3)
    tenant.counters = base.Counters(retries=3, throttled_seconds=1.5)
    run = refresh(profile)
    assert (run.retries, run.throttled_seconds) == (3, 1.5)
