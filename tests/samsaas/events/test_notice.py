"""What happened is noticed in what is stored: each fact once, and none of the days before the first look."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from reclamation.models import RemovalAttempt, RemovalBatch
from samsaas.events import notice
from samsaas.models import Notification
from subscriptions.models import ReconciliationRun
from tests import factories
from tests.samsaas.events.events_world import MONDAY, event
from tests.subscriptions.usage.usage_world import Company

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def not_the_first_time(db: None) -> None:
    event("test", "before")


def look(now: Any = MONDAY) -> list[tuple[str, str]]:
    notice.run(now)
    return list(Notification.objects.exclude(kind="test").order_by("pk").values_list("kind", "title"))


def failed_run(**fields: Any) -> Any:
    given = {"process": "download_subscriptions", "profile_name": "Dropbox", "finished_at": MONDAY - HOUR}
    return factories.run(**{"profile": factories.profile(), "state": "failed", **given, **fields})


def test_a_failed_run_is_told_once_with_what_to_do(db: None) -> None:
    run = failed_run(error_message="The token was revoked.", error_remedy="Press Get OAuth Token.")
    assert look() == look(MONDAY + HOUR) == [("run.failed", "Download subscriptions of Dropbox failed")]
    one = Notification.objects.get(kind="run.failed")
    assert one.text == "The token was revoked. Press Get OAuth Token." and one.path == run.get_absolute_url()
    assert one.at == run.finished_at and not one.told


def test_a_run_that_waits_for_confirmation_is_told_and_a_validation_is_not(db: None) -> None:
    failed_run(state="held")
    failed_run(process="validate_connection")
    failed_run(finished_at=MONDAY - 60 * HOUR)
    failed_run(state="succeeded")
    assert [kind for kind, _ in look()] == ["run.held"]


def test_the_first_look_of_an_installation_tells_of_this_hour_and_not_of_days_that_are_over(db: None) -> None:
    Notification.objects.all().delete()
    failed_run(process="pull_activity", finished_at=MONDAY - 20 * HOUR)
    failed_run(finished_at=MONDAY - HOUR / 2)
    look()
    told = dict(Notification.objects.values_list("title", "told"))
    assert told == {"Pull user activity of Dropbox failed": True, "Download subscriptions of Dropbox failed": False}


def test_a_lost_authorization_is_told_again_only_after_it_worked_in_between(db: None) -> None:
    one = factories.profile(display_name="Dropbox", attention="needs_authorization", refreshed_at=MONDAY - 9 * HOUR)
    assert look() == look(MONDAY + HOUR) == [("profile.needs_authorization", "Dropbox: needs authorization")]
    one.refreshed_at = MONDAY + HOUR
    one.save()
    assert len(look(MONDAY + 2 * HOUR)) == 2


def test_new_candidates_are_told_with_their_number_and_none_is_not(db: None) -> None:
    profile = factories.profile()
    given = {"profile": profile, "profile_name": "Dropbox", "state": "succeeded", "finished_at": MONDAY}
    factories.run(process="find_candidates", counters={"proposed": 1234}, **given)
    factories.run(process="find_candidates", counters={"proposed": 0}, **given)
    assert look() == [("candidates.found", "1,234 new removal candidates of Dropbox")]
    assert Notification.objects.get(kind="candidates.found").path == f"/removal-candidates/?profile={profile.pk}"


def test_batches_and_removals_that_need_a_person_are_told(db: None, account: Any) -> None:
    one = factories.candidate()
    batch = RemovalBatch.objects.create(
        profile=one.profile, profile_name="Dropbox", vendor="dropbox", team_id="t", requested_by=account("sam_admin"),
        requested_at=MONDAY, state="quarantined", size=40,
    )  # fmt: skip
    attempt = RemovalAttempt.objects.create(
        candidate=one, batch=batch, profile=one.profile, vendor="dropbox", team_id="t", external_id="dbmid:1",
        email="ann@example.com", state="needs_human", opened_at=MONDAY, error_message="The job broke.",
    )  # fmt: skip
    assert look() == [
        ("batch.quarantined", f"{batch} of Dropbox waits for a second person"),
        ("attempt.needs_human", "Removal of ann@example.com needs a person"),
    ]
    RemovalAttempt.objects.filter(pk=attempt.pk).update(
        state="restored", restored_at=MONDAY, closed_at=MONDAY, intent_at=MONDAY, regret_at=MONDAY
    )
    assert [kind for kind, _ in look()][2:] == ["regret.alarm", "seat.restored"]


def test_a_reconciliation_that_failed_is_told(db: None) -> None:
    ReconciliationRun.objects.create(
        scope_key="today/none/none/all", started_at=MONDAY, finished_at=MONDAY, state="failed"
    )
    assert [kind for kind, _ in look()] == ["reconciliation.failed"]


def test_a_position_is_told_when_it_changes_and_not_every_day(db: None) -> None:
    company = Company()
    company.reconcile()
    kinds = [kind for kind, _ in look()]
    assert set(kinds) <= {"position.out_of_compliance", "vendor.drift"} and "position.out_of_compliance" in kinds
    company.reconcile()
    assert [kind for kind, _ in look(MONDAY + HOUR)] == kinds


def test_as_many_questions_for_one_fact_as_for_thirty(
    django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    failed_run()
    with django_assert_max_num_queries(25) as few:
        notice.run(MONDAY)
    for _ in range(30):
        failed_run()
        factories.profile(attention="needs_authorization")
    with django_assert_num_queries(len(few)):
        notice.run(MONDAY)
