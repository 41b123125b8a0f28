"""What a position rests on is kept when it changes, so that any day that is over can be asked for again."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from profiles.models import IntegrationProfile, JobRun
from subscriptions import history
from subscriptions.exclusions import edit as edit_exclusions
from subscriptions.matching import by_hand, edit_rules, resolve
from subscriptions.models import (
    MetricResult,
    ReconciliationRun,
    ResolutionRule,
    SoftwareModel,
    Subscription,
    SubscriptionVersion,
    UserExclusion,
)
from subscriptions.users.find import rules_for
from tests import factories
from tests.subscriptions.download_world import NOW, refresh, seat, seats
from tests.subscriptions.reconciliation.position_world import reconcile_as_of

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def on_day(number: int) -> datetime:
    """The evening of a day of the story. Downloads are at two in the morning."""
    return NOW + timedelta(days=number, hours=18)


def match_all(profile: IntegrationProfile, now: datetime) -> None:
    resolve.update_matches(rules_for(profile), profile, now=now)


def make_rule(**fields: Any) -> ResolutionRule:
    return ResolutionRule.objects.create(
        **{"name": "By address", "source": ResolutionRule.Source.ANY_EMAIL, "order": 1, **fields}
    )


def figures(run: ReconciliationRun) -> dict[str, Any]:
    names = ("in_use", "without_user", "unlicensed", "excluded", "owned", "status")
    rows = MetricResult.objects.filter(model_result__product_result__run=run).select_related("model_result")
    told = {str(one.model_result): {name: getattr(one, name) for name in names} for one in rows}
    return {"models": told, **{name: run.figures[name] for name in ("aside", "listed", "counted")}}


def test_a_first_download_and_a_first_matching_leave_nothing_behind(tenant, profile):
    tenant.members = seats(5)
    refresh(profile)
    rule, ann = make_rule(), factories.person("u1@example.com")
    match_all(profile, NOW + HOUR)
    later = factories.person("u2@example.com")
    match_all(profile, on_day(3))
    assert not SubscriptionVersion.objects.exists()
    assert set(Subscription.objects.values_list("valid_since", flat=True)) == {NOW}
    assert {one.person for one in rule.matches.all()} == {ann, later}, "whose it was had only not been found out"


def test_a_million_seats_would_write_none_because_no_statement_of_a_first_download_keeps_any(
    tenant, profile, monkeypatch
):
    kept: list[int] = []
    monkeypatch.setattr(history, "keep_former", lambda *args, **kwargs: kept.append(1) or 0)
    tenant.members = seats(3)
    refresh(profile)
    assert kept == []


@pytest.mark.parametrize(
    ("change", "fact", "before"),
    [
        ({"identifier": "limited"}, "identifier__identifier", "full"),
        ({"status": "suspended", "vendor_status": "suspended"}, "status", "active"),
        ({"consumes_license": False}, "consumes_license", True),
    ],
)
def test_a_changed_fact_is_kept_with_the_time_it_stood(tenant, profile, change, fact, before):
    tenant.members = seats(3)
    refresh(profile)
    tenant.members = [seat("u0", **change), *seats(2, first=1)]
    refresh(profile, days=2)
    (former,) = SubscriptionVersion.objects.values("since", "until", "listed", "subscription__external_id", fact)
    assert former == {
        "since": NOW,
        "until": NOW + timedelta(days=2),
        "listed": True,
        "subscription__external_id": "dbmid:u0",
        fact: before,
    }
    assert Subscription.objects.get(external_id="dbmid:u0").valid_since == NOW + timedelta(days=2)


@pytest.mark.parametrize("change", [{"surname": "Married"}, {"email": "new@example.com"}, {"is_admin": True}])
def test_what_no_position_rests_on_leaves_no_version(tenant, profile, change):
    tenant.members = seats(3)
    refresh(profile)
    tenant.members = [seat("u0", **change), *seats(2, first=1)]
    assert refresh(profile, days=1).counters["changed"] == 1
    assert not SubscriptionVersion.objects.exists()


def test_what_did_not_stand_at_the_end_of_a_day_leaves_no_version(tenant, profile):
    tenant.members = seats(2)
    refresh(profile)
    for hours, status in ((1, "suspended"), (2, "active"), (3, "suspended")):
        tenant.members = [seat("u0", status=status, vendor_status=status), *seats(1, first=1)]
        refresh(profile, days=hours / 24)
    assert not SubscriptionVersion.objects.exists()
    tenant.members = seats(2)
    refresh(profile, days=4)
    assert SubscriptionVersion.objects.get().status == "suspended"


def test_a_seat_that_left_and_came_back_was_absent_between(tenant, profile):
    tenant.members = seats(40)
    refresh(profile)
    tenant.members = seats(39)
    refresh(profile, days=2)
    tenant.members = seats(40)
    refresh(profile, days=5)
    present = [reconcile_as_of(on, now=on_day(7)).figures["listed"] for on in days(0, 7)]
    assert present == [40, 40, 39, 39, 39, 40, 40]


def days(first: int, last: int) -> list[date]:
    return [(NOW + timedelta(days=number)).date() for number in range(first, last)]


def test_exclusions_are_as_they_were_on_the_day(tenant, profile, account):
    tenant.members = seats(4)
    refresh(profile)
    seen = Subscription.objects.get(external_id="dbmid:u0")
    rule = UserExclusion(pattern="u0@example.com")
    Subscription.objects.update(valid_since=NOW - timedelta(days=9), first_seen_at=NOW - timedelta(days=9))
    edit_exclusions.save(rule, by=account("sam_admin"))
    former = SubscriptionVersion.objects.get()
    assert (former.subscription, former.excluded) == (seen, False)
    seen.refresh_from_db()
    assert seen.excluded and seen.valid_since == former.until


def test_a_later_user_leaves_the_earlier_one_in_the_past(tenant, profile, account):
    tenant.members = seats(2)
    refresh(profile)
    make_rule()
    ann, bob = factories.person("u0@example.com"), factories.person()
    match_all(profile, NOW + HOUR)
    of_ann = Subscription.objects.get(external_id="dbmid:u0")
    by_hand.run(of_ann, bob, by=account("sam_admin"), now=on_day(4))
    assert SubscriptionVersion.objects.get().person == ann
    by_hand.run(of_ann, ann, by=account("sam_admin", "second"), now=on_day(4))
    assert SubscriptionVersion.objects.count() == 1, "Bob's day was not over"


def test_a_mistake_of_the_same_day_leaves_the_first_user_as_from_the_beginning(tenant, profile, account):
    tenant.members = seats(1)
    refresh(profile)
    one, admin = Subscription.objects.get(), account("sam_admin")
    by_hand.run(one, factories.person(), by=admin, now=on_day(5))
    by_hand.run(one, factories.person(), by=admin, now=on_day(5) + HOUR)
    assert not SubscriptionVersion.objects.exists()
    one.refresh_from_db()
    assert one.valid_since == NOW


def test_a_deleted_rule_leaves_its_users_in_the_past(tenant, profile, account):
    tenant.members = seats(2)
    refresh(profile)
    rule, ann = make_rule(), factories.person("u0@example.com")
    match_all(profile, NOW + HOUR)
    edit_rules.delete(rule, by=account("sam_integrator"))
    assert [one.person for one in SubscriptionVersion.objects.all()] == [ann]


def test_every_day_of_a_story_stays_what_it_was(tenant, profile, account):
    """Two weeks of changes of every kind. Each evening a position is stored; afterwards every one is found again."""
    rule, admin = make_rule(), account("sam_admin")
    people = [factories.person(f"u{number}@example.com") for number in range(12)]
    changes: dict[int, Any] = {
        2: lambda: by_hand.run(seat_of("u3"), people[7], by=admin, now=on_day(2)),
        3: lambda: tenant.members.__setitem__(4, seat("u4", identifier="limited")),
        5: lambda: tenant.members.pop(),
        6: lambda: UserExclusion.objects.create(pattern="u1@example.com"),
        8: lambda: tenant.members.append(seat("u19")),
        9: lambda: UserExclusion.objects.update(active=False),
        10: lambda: tenant.members.__setitem__(0, seat("u0", status="suspended", consumes_license=False)),
        11: lambda: ResolutionRule.objects.filter(pk=rule.pk).update(active=False),
    }
    tenant.members = seats(20)
    stored = {}
    for number in range(14):
        changes.get(number, lambda: None)()
        assert refresh(profile, days=number).state == JobRun.State.SUCCEEDED
        match_all(profile, NOW + timedelta(days=number) + HOUR)
        stored[number] = figures(reconcile_as_of(None, now=on_day(number)))
        assert stored[number]["models"], "the story has a position"
    assert len({str(one) for one in stored.values()}) > 6, "the story changes it"
    again = {number: figures(reconcile_as_of(days(number, number + 1)[0], now=on_day(20))) for number in stored}
    assert {number: one for number, one in again.items() if one != stored[number]} == {}
    assert ReconciliationRun.objects.filter(state="completed").count() == 28


def seat_of(name: str) -> Subscription:
    return Subscription.objects.get(external_id=f"dbmid:{name}")


def test_a_profile_that_was_not_there_yet_is_not_known_and_a_day_to_come_is_refused(tenant, profile):
    tenant.members = seats(2)
    refresh(profile)
    before = reconcile_as_of((NOW - timedelta(days=3)).date(), now=on_day(1))
    assert before.inputs["unknown"] == [profile.display_name]
    since = reconcile_as_of(NOW.date(), now=on_day(1))
    assert since.inputs["unknown"] == []
    with pytest.raises(ValueError, match="still to come"):
        reconcile_as_of((NOW + timedelta(days=9)).date(), now=on_day(1))


def test_a_seat_type_that_is_mapped_anew_takes_its_past_with_it(tenant, profile):
    tenant.members = seats(3)
    refresh(profile)
    other = SoftwareModel.objects.create(publisher="Dropbox", product="Another", edition="")
    Subscription.objects.get(external_id="dbmid:u0").identifier.__class__.objects.update(software_model=other)
    run = reconcile_as_of(NOW.date(), now=on_day(6))
    assert set(figures(run)["models"]) == {"Dropbox Another"}


def test_local_days_end_at_midnight_of_the_installation(settings):
    with timezone.override("America/New_York"):
        moment = datetime.fromisoformat("2026-03-08T06:30:00+00:00")  # the night in which clocks go forward
        assert history.midnight(moment).isoformat() == "2026-03-08T00:00:00-05:00"
