"""The find: what it opens and what it only notes, its sums, and that a second or broken-off run opens nothing twice."""

from __future__ import annotations

import re
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from profiles.jobs import queue
from profiles.models import IntegrationProfile, JobRun
from reclamation import find_candidates, jump, reconsider, sums
from reclamation.address import NOBODY_TO_ASK
from reclamation.find_candidates import FIND
from reclamation.models import Observation, ReclamationRule, RemovalCandidate
from reclamation.rules import edit_rule, exempt
from reclamation.states import State
from samsaas import schedule
from samsaas.models import AuditEntry
from subscriptions.activity.coverage import intervals
from subscriptions.models import SoftwareModel, Subscription
from tests import factories, pages, worlds

pytestmark = pytest.mark.django_db


def find(profile: IntegrationProfile) -> JobRun:
    run, _ = queue.request(queue.Request(FIND, JobRun.Trigger.CHAIN, profile=profile))
    assert run
    (done,) = worlds.work()
    assert done.state == "succeeded", done.error_message
    return done


def idle_seat(world: Any, days: int = 90, **fields: Any) -> Subscription:
    """A seat that was last used so many days ago; never with 0."""
    fields = {"assigned_at": world.now - timedelta(days=300), **fields}
    seat = factories.subscription(profile=world.profile, identifier=world.kind, **fields)
    if days:
        factories.activity(seat, world.now - timedelta(days=days))
    return seat


@pytest.fixture
def world() -> SimpleNamespace:
    """A fresh profile whose activity is known for 200 days, with a seat type."""
    now = timezone.now()
    profile = factories.profile(refreshed_at=now, team_id="t1", analyze_activity_from=now - timedelta(days=200))
    factories.coverage(profile, now - timedelta(days=200), now)
    return SimpleNamespace(now=now, profile=profile, kind=factories.identifier())


def rule_of(world: Any) -> ReclamationRule:
    return ReclamationRule.objects.get(software_model=world.kind.software_model)


def test_the_first_find_makes_the_rules_and_opens_what_is_idle(world: Any) -> None:
    leaver = idle_seat(world, 2)
    factories.match(leaver, factories.person(name="Ada", left_on=timezone.localdate() - timedelta(days=3)))
    seats = {"idle": idle_seat(world), "never_active": idle_seat(world, 0), "leaver": leaver}
    seats["suspended"] = idle_seat(world, status="suspended")
    seats["invited"] = idle_seat(
        world, 0, status="invited", assigned_at=None, invited_at=world.now - timedelta(days=45)
    )
    idle_seat(world, 5)
    run = find(world.profile)

    rule = rule_of(world)
    assert rule.name == f"SAM - Reclaim {world.kind.software_model}" and not rule.reviewed_at
    assert rule.versions.get().settings["threshold_days"] == 60
    opened = {one.subscription_id: one for one in RemovalCandidate.objects.all()}
    assert {opened[seat.pk].reason: name for name, seat in seats.items()} == {name: name for name in seats}
    assert len(opened) == 5 and run.counters["proposed"] == 5
    one = opened[leaver.pk]
    assert (one.state, one.opened_by, one.is_leaver, one.person_name) == (State.READY, None, True, "Ada")
    assert (one.rule, one.rule_version) == (rule, rule.versions.get())
    assert one.evidence["notes"] == [] or one.evidence["notes"] == ["active_after_leaving"]
    assert one.history.get().to_state == State.READY
    assert AuditEntry.objects.get(verb="opened removal candidates").detail["candidates"] == 5


def test_the_sums_add_up_to_the_listed_subscriptions_and_lead_to_their_rows(world: Any, signed_in: Any) -> None:
    for days in (90, 90, 5, 5, 5):
        idle_seat(world, days)
    idle_seat(world, excluded=True)
    idle_seat(world, ended_at=world.now)
    idle_seat(world, is_admin=True)
    factories.subscription(profile=world.profile, identifier=factories.identifier(software_model=None))
    find(world.profile)
    last = sums.of_last_find(world.profile)
    assert last
    assert {(one.decision, one.reason): one.count for one in last.sums} == {
        ("no", "open_candidate"): 2,
        ("no", "active"): 3,
        ("no", "excluded"): 1,
        ("no", "admin"): 1,
        ("no", "unrecognized"): 1,
    }
    reader = signed_in("sam_user")
    page = reader.get(f"/integration-profiles/{world.profile.pk}/reasons/").content.decode()
    assert "8 subscriptions = 2 proposed + 3 active + 1" in pages.text_of(page)
    links = re.findall(r'class="num"><a href="([^"]*)">([\d,]+)</a>', page)
    figures = {url.replace("&amp;", "&"): int(number) for url, number in links}
    assert sum(figures.values()) == 8 == Subscription.objects.listed().count()
    assert {url: pages.rows_behind(reader, url) for url in figures} == figures


def test_a_second_find_opens_nothing_again_and_gives_each_its_reason(world: Any) -> None:
    idle_seat(world)
    assert find(world.profile).counters["proposed"] == 1
    again = find(world.profile)
    assert again.counters["proposed"] == 0 and RemovalCandidate.objects.count() == 1
    assert again.facts["sums"] == [[rule_of(world).pk, "no:open_candidate", 1]]


def test_a_find_that_lost_its_worker_goes_on_at_its_cursor(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(find_candidates, "BATCH", 3)
    monkeypatch.setattr(find_candidates, "WINDOW", 5)
    for _ in range(14):
        idle_seat(world)
    real, opened = find_candidates._Finder._write_found, []

    def dies_at_the_third(finder: Any, keys: list[int]) -> None:
        if len(opened) == 2:
            raise KeyboardInterrupt
        opened.append(keys)
        real(finder, keys)

    monkeypatch.setattr(find_candidates._Finder, "_write_found", dies_at_the_third)
    run, _ = queue.request(queue.Request(FIND, JobRun.Trigger.CHAIN, profile=world.profile))
    assert run
    with pytest.raises(KeyboardInterrupt):
        worlds.work()
    assert RemovalCandidate.objects.count() == 5
    monkeypatch.setattr(find_candidates._Finder, "_write_found", real)
    JobRun.objects.filter(pk=run.pk).update(state=JobRun.State.QUEUED, owner="")
    (done,) = worlds.work()
    assert done.pk == run.pk and done.state == "succeeded"
    assert RemovalCandidate.objects.count() == 14 == done.counters["proposed"] == done.counters["seen"]


def test_a_seat_that_somebody_proposes_in_the_same_moment_is_not_opened_twice(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seat, real = idle_seat(world), find_candidates._Finder._write_found

    def somebody_is_quicker(finder: Any, keys: list[int]) -> None:
        factories.candidate(seat, reason="manual")
        real(finder, keys)

    monkeypatch.setattr(find_candidates._Finder, "_write_found", somebody_is_quicker)
    assert find(world.profile).counters["proposed"] == 0
    assert RemovalCandidate.objects.get().reason == "manual"


def test_whom_nobody_can_ask_needs_attention_until_there_is_an_address(world: Any) -> None:
    mute, leaver = idle_seat(world, email=""), idle_seat(world, email="")
    factories.match(leaver, factories.person(left_on=timezone.localdate() - timedelta(days=3)))
    user = factories.person()
    factories.match(mute, user)
    assert find(world.profile).counters["nobody_to_ask"] == 1
    candidate = RemovalCandidate.objects.get(subscription=mute)
    assert (candidate.state, candidate.attention) == (State.ATTENTION_REQUIRED, NOBODY_TO_ASK)
    assert RemovalCandidate.objects.get(subscription=leaver).state == State.READY, "leavers are not asked"
    user.addresses.create(address="ada@one.example")
    run, _ = queue.request(queue.Request("reexamine_candidates", JobRun.Trigger.CHAIN, profile=world.profile))
    worlds.work()
    candidate.refresh_from_db()
    assert (candidate.state, candidate.attention) == (State.READY, "")


@pytest.mark.parametrize("how", ["mode", "for a while"])
def test_a_rule_that_observes_only_notes_what_it_would_propose(world: Any, how: str) -> None:
    fields = {"mode": "observe"} if how == "mode" else {"observe_until": world.now + timedelta(days=1)}
    factories.rule(world.kind.software_model, **fields)
    seat = idle_seat(world)
    assert find(world.profile).counters["observed"] == 1
    find(world.profile)
    seen = Observation.objects.get(subscription=seat)
    assert (seen.reason, seen.times, seen.first_on, seen.last_on) == ("idle", 1, *[timezone.localdate()] * 2)
    Observation.objects.update(first_on=seen.first_on - timedelta(days=1), last_on=seen.last_on - timedelta(days=1))
    find(world.profile)
    seen.refresh_from_db()
    assert seen.times == 2 and seen.last_on == timezone.localdate()
    assert not RemovalCandidate.objects.exists()


def test_a_rule_that_a_person_switched_off_is_not_made_again_and_proposes_nothing(world: Any) -> None:
    factories.rule(world.kind.software_model, active=False)
    idle_seat(world)
    run = find(world.profile)
    assert run.facts["sums"][0][1] == "no:rule_off" and ReclamationRule.objects.count() == 1


def test_a_seat_that_a_person_kept_is_proposed_the_day_after(world: Any, signed_in: Any) -> None:
    seat, admin = idle_seat(world), signed_in("sam_admin")
    find(world.profile)
    candidate = RemovalCandidate.objects.get()
    until = timezone.localdate() + timedelta(days=30)
    path = f"{candidate.get_absolute_url()}skip/"
    for wrong, words in (
        (timezone.localdate() - timedelta(days=1), "is over"),
        (until.replace(year=until.year + 2), "year"),
    ):
        answer = admin.post(path, {"reason": "On leave", "keep_until": wrong.isoformat()})
        assert words in answer.content.decode() and RemovalCandidate.objects.open().exists()
    admin.post(path, {"reason": "On leave", "keep_until": until.isoformat()})
    seat.refresh_from_db()
    assert seat.keep_until == until
    assert find(world.profile).facts["sums"][0][1] == "no:kept"
    Subscription.objects.update(keep_until=timezone.localdate() - timedelta(days=1))
    assert find(world.profile).counters["proposed"] == 1


def test_closing_without_a_day_keeps_for_the_cool_down(world: Any, signed_in: Any) -> None:
    factories.rule(world.kind.software_model, cool_down_days=20)
    seat = idle_seat(world)
    find(world.profile)
    signed_in("sam_admin").post(f"{RemovalCandidate.objects.get().get_absolute_url()}skip/", {"reason": "No"})
    seat.refresh_from_db()
    assert seat.keep_until == timezone.localdate() + timedelta(days=20)


class TestJumpGuard:
    """Many more proposals than last time stop what is automatic for that day."""

    @pytest.mark.parametrize(
        ("before", "now", "is_over"), [(0, 10, False), (0, 11, True), (6, 12, False), (6, 13, True)]
    )
    def test_more_than_ten_and_twice_as_many_as_last_time(
        self, world: Any, before: int, now: int, is_over: bool
    ) -> None:
        for number in (before, 0, now):
            for _ in range(number):
                idle_seat(world)
            run = find(world.profile)
        assert run.facts["jump"]["is_over"] is is_over and bool(run.warnings) is is_over
        assert (world.profile.pk in jump.jumped_today([world.profile], timezone.now())) is is_over
        assert not jump.jumped_today([world.profile], timezone.now() + timedelta(days=1))

    def test_home_says_why_where_a_rule_would_act(self, world: Any, signed_in: Any) -> None:
        for _ in range(11):
            idle_seat(world)
        find(world.profile)
        reader = signed_in("sam_user")
        assert jump.JUMPED.title not in reader.get("/").content.decode()
        ReclamationRule.objects.update(reviewed_at=world.now, mode="automatic")
        assert jump.JUMPED.title in reader.get("/").content.decode()


class TestChangedRules:
    """Candidates about whom nobody was asked are judged by the rule of today."""

    @pytest.fixture
    def admin(self, account: Any) -> User:
        made: User = account("sam_admin")
        return made

    @pytest.mark.parametrize(
        "changes",
        [
            {"threshold_days": 120},
            {"active": False},
            {"conditions": {"country": ["DE"]}},
            {"minimum_age_days": 400},
        ],
        ids=str,
    )
    @pytest.mark.parametrize("state", [State.READY, State.ATTENTION_REQUIRED])
    def test_what_no_longer_qualifies_is_skipped(self, world: Any, admin: User, changes: Any, state: State) -> None:
        idle_seat(world)
        find(world.profile)
        RemovalCandidate.objects.update(state=state)
        edit_rule.save(rule_of(world), changes, by=admin, now=timezone.now())
        assert find(world.profile).counters["skipped"] == 1
        candidate = RemovalCandidate.objects.get()
        assert candidate.state == State.CLOSED_SKIPPED
        assert "The rule no longer proposes it" in candidate.history.last().reason
        assert Subscription.objects.get().keep_until is None, "a fact decided, not a person"

    def test_what_still_qualifies_goes_on_with_the_new_version(self, world: Any, admin: User) -> None:
        idle_seat(world)
        find(world.profile)
        edit_rule.save(rule_of(world), {"notice_days": 14}, by=admin, now=timezone.now())
        find(world.profile)
        candidate = RemovalCandidate.objects.get()
        assert candidate.state == State.READY and candidate.rule_version.version == 2

    @pytest.mark.parametrize("state", [State.AWAITING_USER, State.AWAITING_APPROVAL, State.AWAITING_REVOCATION])
    def test_past_ready_a_change_closes_nothing(self, world: Any, admin: User, state: State) -> None:
        idle_seat(world)
        find(world.profile)
        RemovalCandidate.objects.update(state=state)
        edit_rule.save(rule_of(world), {"threshold_days": 120}, by=admin, now=timezone.now())
        find(world.profile)
        assert RemovalCandidate.objects.get().state == state

    def test_what_is_not_known_at_the_moment_closes_nothing(self, world: Any, admin: User) -> None:
        idle_seat(world)
        find(world.profile)
        edit_rule.save(rule_of(world), {"notice_days": 14}, by=admin, now=timezone.now())
        world.profile.coverage.all().delete()
        assert find(world.profile).counters["skipped"] == 0

    def test_another_model_brings_another_rule(self, world: Any) -> None:
        idle_seat(world)
        find(world.profile)
        other = factories.rule(threshold_days=120)
        world.kind.software_model = other.software_model
        world.kind.save()
        assert find(world.profile).counters["skipped"] == 1

    def test_what_nobody_decides_for_thirty_days_is_canceled_by_the_find_and_hourly(self, world: Any) -> None:
        for reason in (find, lambda profile: schedule.purge()):
            seat = idle_seat(world, email="")
            find(world.profile)
            candidate = RemovalCandidate.objects.get(subscription=seat)
            candidate.history.update(at=world.now - timedelta(days=29))
            reason(world.profile)
            assert RemovalCandidate.objects.get(pk=candidate.pk).is_open
            candidate.history.update(at=world.now - timedelta(days=31))
            reason(world.profile)
            closed = RemovalCandidate.objects.get(pk=candidate.pk)
            assert closed.state == State.CLOSED_CANCELED and closed.history.last().reason == reconsider.UNDECIDED
            seat.delete()


class TestChangedGround:
    """A rule that acts automatically observes for a week when what it rests on has changed."""

    @pytest.fixture
    def automatic(self, world: Any) -> ReclamationRule:
        factories.credential(alias=world.profile.alias)
        rule = factories.rule(world.kind.software_model, mode="automatic", reviewed_at=world.now)
        find(world.profile)
        return rule

    def is_observing(self, rule: ReclamationRule) -> bool:
        rule.refresh_from_db()
        return rule.observe_until is not None

    def test_nothing_changed(self, world: Any, automatic: ReclamationRule) -> None:
        factories.coverage(world.profile, world.now + timedelta(hours=1), world.now + timedelta(hours=2))
        find(world.profile)
        assert not self.is_observing(automatic)

    @pytest.mark.parametrize("what", ["team", "app", "gap"])
    def test_another_team_another_app_or_a_gap_that_closed(
        self, world: Any, automatic: ReclamationRule, what: str
    ) -> None:
        if what == "team":
            IntegrationProfile.objects.update(team_id="t2")
        if what == "app":
            world.profile.alias.credentials.update(client_id="another")
        if what == "gap":
            reading = {"until": world.now, "started": world.now, "team_id": "t1", "run_id": None}
            intervals.add_reading(world.profile, intervals.Reading(since=world.now - timedelta(days=300), **reading))
        world.profile.refresh_from_db()
        seat = idle_seat(world)
        find(world.profile)
        assert self.is_observing(automatic)
        assert not RemovalCandidate.objects.filter(subscription=seat).exists()
        assert AuditEntry.objects.filter(verb="let reclamation rule observe").exists()

    def test_a_rule_that_only_proposes_goes_on(self, world: Any, automatic: ReclamationRule) -> None:
        ReclamationRule.objects.update(mode="propose")
        world.profile.alias.credentials.update(client_id="another")
        find(world.profile)
        assert not self.is_observing(automatic)


def test_an_exemption_keeps_a_seat_out_from_then_on(world: Any, account: Any) -> None:
    seat = idle_seat(world)
    held = exempt.Protection(subscription=seat, reason="Auditor", until=timezone.localdate())
    exempt.add(held, by=account("sam_admin"), now=world.now)
    assert find(world.profile).facts["sums"][0][1] == "no:exempt"
    exempt.end_past(world.now + timedelta(days=1), timezone.localdate() + timedelta(days=1))
    assert find(world.profile).counters["proposed"] == 1


def test_a_profile_that_is_not_refreshed_is_not_searched(world: Any, integrator: Any) -> None:
    from profiles.jobs.process import find_process  # noqa: PLC0415

    refuse = find_process(FIND).refusal
    assert refuse(world.profile) == ""
    for field, value in (("status", "draft"), ("attention", "needs_authorization")):
        assert "not refreshed" in refuse(factories.profile(refreshed_at=world.now, **{field: value}))


def test_many_seats_cost_few_queries(world: Any, django_assert_max_num_queries: Any) -> None:
    for _ in range(60):
        idle_seat(world)
    with django_assert_max_num_queries(73):
        assert find(world.profile).counters["proposed"] == 60


def test_two_models_have_each_their_rule(world: Any) -> None:
    late = factories.rule(threshold_days=120)
    other = factories.identifier(software_model=late.software_model)
    seat = factories.subscription(profile=world.profile, identifier=other, assigned_at=world.now - timedelta(days=300))
    factories.activity(seat, world.now - timedelta(days=90))
    idle_seat(world)
    found = find(world.profile).facts["sums"]
    assert sorted(found) == sorted([[late.pk, "no:active", 1], [rule_of(world).pk, "no:open_candidate", 1]])
    assert ReclamationRule.objects.count() == SoftwareModel.objects.count()


@pytest.mark.parametrize("what", ["nothing", "draft", "no grant"])
def test_a_chain_of_a_profile_that_was_disconnected_meanwhile_finds_nothing(world: Any, what: str) -> None:
    changes = {"nothing": {}, "draft": {"status": "draft"}, "no grant": {"attention": "needs_authorization"}}[what]
    last = factories.run(profile=world.profile, process="reexamine_candidates", in_chain=True)
    IntegrationProfile.objects.update(status="published")
    IntegrationProfile.objects.filter(pk=world.profile.pk).update(**{"pull_activity": False, **changes})
    last.profile.refresh_from_db()
    assert schedule.next_step(last) == (FIND if what == "nothing" else None)
