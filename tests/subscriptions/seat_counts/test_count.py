"""Stored counts of seats: every change of a fact has them made again, and they are what a recount gives."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from profiles.models import IntegrationProfile
from samsaas import schedule
from subscriptions import seats_changed
from subscriptions.activity import last_used
from subscriptions.exclusions import exclude
from subscriptions.matching import by_hand
from subscriptions.models import LastActivity, SeatCount, SeatCounting, SeatsChanged, Subscription, UserExclusion
from subscriptions.seat_counts import count, stored
from tests import factories, pages, worlds

pytestmark = pytest.mark.django_db


def counted() -> stored.SeatFigures:
    count.run_due(timezone.now())
    return stored.read()


def test_a_refresh_has_its_profile_counted_and_the_counts_are_those_of_the_lists(
    integrator: Any, connected: Any
) -> None:
    worlds.work_on()
    found = stored.read()
    seats = Subscription.objects.all()
    assert found.total["current"] == seats.current().count() == 248
    assert found.total["in_use"] == seats.consuming().count()
    assert found.by_band() == last_used.count_by_band(seats, timezone.now())
    assert found.total["without_user"] == seats.consuming().filter(match=None).count() > 0
    assert not SeatsChanged.objects.exists(), "nothing is left to count"
    for name, url in {
        "never": "/subscriptions/?activity=none&license=yes",
        "idle": "/subscriptions/?activity=idle&license=yes",
        "without_user": "/subscriptions-without-user/?license=yes",
        "excluded": "/subscriptions/?seats=excluded",
    }.items():
        assert pages.rows_behind(integrator, url) == found.total[name], name


def test_facts_that_a_person_changes_are_counted_again() -> None:
    profile = factories.profile()
    seat, other = (factories.subscription(profile=profile, email=f"{name}@example.com") for name in ("a", "b"))
    person = factories.person(left_on=timezone.localdate() - timedelta(days=1))
    somebody = User.objects.create(username="x")
    worlds.count_seats()
    assert counted().total["without_user"] == 2
    by_hand.run(seat, person, by=somebody, now=timezone.now())
    assert (counted().total["without_user"], counted().total["left"]) == (1, 1)
    by_hand.remove(seat, by=somebody)
    assert (counted().total["without_user"], counted().total["left"]) == (2, 0)
    UserExclusion.objects.create(pattern="b@example.com")
    exclude.mark_seats(profile, now=timezone.now())
    found = counted()
    assert (found.total["current"], found.total["excluded"], found.total["without_user"]) == (1, 1, 1)
    assert other.pk


def test_another_day_is_counted_anew_since_time_makes_seats_idle() -> None:
    now = timezone.now()
    profile = factories.profile(refreshed_at=now)
    person = factories.person(left_on=timezone.localdate())
    factories.match(factories.subscription(profile=profile), person)
    assert count.run_due(now) == 1 and count.run_due(now) == 0
    assert stored.read().total["left"] == 0, "the last day is a day of work"
    assert count.run_due(now + timedelta(days=1)) == 1
    assert stored.read().total["left"] == 1


def test_what_changes_while_it_is_counted_is_counted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    profile = factories.profile()
    factories.subscription(profile=profile)
    real = count._count

    def change_meanwhile(key: int, now: Any) -> Any:
        rows = list(real(key, now))
        factories.subscription(profile=profile)
        seats_changed.note(profile.pk)
        return iter(rows)

    monkeypatch.setattr(count, "_count", change_meanwhile)
    worlds.count_seats()
    assert stored.read().total["current"] == 1 and SeatsChanged.objects.count() == 1
    monkeypatch.setattr(count, "_count", real)
    assert counted().total["current"] == 2


def test_two_workers_do_not_count_the_same_profile_at_once_and_a_dead_one_is_not_waited_for_long() -> None:
    profile, now = factories.profile(), timezone.now()
    factories.subscription(profile=profile)
    SeatCounting.objects.create(profile=profile, claimed_until=now + timedelta(minutes=5))
    seats_changed.note(profile.pk)
    assert count.run_due(now) == 0 and SeatsChanged.objects.exists()
    assert count.run_due(now + timedelta(minutes=6)) == 1


def test_a_profile_that_was_deleted_meanwhile_hurts_nobody() -> None:
    kept, gone = factories.profile(), factories.profile()
    factories.subscription(profile=kept)
    seats_changed.note(kept.pk, gone.pk)
    IntegrationProfile.objects.filter(pk=gone.pk).delete()
    schedule.count_seats()
    assert set(SeatCount.objects.values_list("profile", flat=True)) == {kept.pk}


def test_unrecognized_seats_are_in_the_totals_and_of_no_software_model() -> None:
    factories.subscription(identifier=factories.identifier(software_model=None))
    worlds.count_seats()
    found = stored.read()
    assert found.total["in_use"] == 1 and found.of_models("in_use") == {None: 1}


def test_what_counts_is_counted_by_last_activity_and_an_account_of_two_profiles_once() -> None:
    model = factories.software_model()
    first, second = (factories.profile(team_id="dbtid:one") for _ in range(2))
    kind = factories.identifier(software_model=model)
    earlier, later = (factories.subscription(profile=one, identifier=kind, external_id="a") for one in (first, second))
    factories.subscription(profile=second, identifier=kind, external_id="b")
    factories.subscription(profile=second, identifier=kind, external_id="c", consumes_license=False)
    LastActivity.objects.create(subscription=later, at=timezone.now(), kind="file_edit", signal="event")

    def bands() -> dict[str, int]:
        return {key: number for key, number in counted().used_by_band([model.pk]).items() if number}

    assert bands() == {}, "nothing was counted yet, so nothing is 0"
    worlds.count_seats()
    assert bands() == {last_used.NOT_COVERED: 2}
    Subscription.objects.filter(pk=earlier.pk).update(ended_at=timezone.now())
    seats_changed.note(first.pk)
    assert bands() == {last_used.NOT_COVERED: 1, "today": 1}, "the second profile has the account now"
    assert stored.read().used_by_band([]) == dict.fromkeys(last_used.LABELS, 0)
