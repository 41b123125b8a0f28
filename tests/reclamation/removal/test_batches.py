"""Limits per team, the second person, the jump guard, the switch, dry runs, and three failures in a row."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from reclamation import workflow
from reclamation.models import RemovalAttempt, RemovalBatch, RemovalCandidate
from reclamation.removal import batches, first_step, limits, switch
from reclamation.states import State
from tests import factories
from tests.reclamation.removal.place import attempt_of, state_of
from tests.reclamation.removal.stand_in import StandIn, refused

Attempt = RemovalAttempt.State


def called_before(place: Any, count: int, ago: timedelta) -> None:
    for number in range(count):
        candidate = factories.candidate(factories.subscription(profile=place.profile), state=State.CLOSED_COMPLETE)
        RemovalAttempt.objects.create(
            candidate=candidate,
            profile=place.profile,
            vendor="dropbox",
            team_id=place.team.team_id,
            external_id=f"dbmid:past{number}-{ago}",
            state=Attempt.CLOSED,
            opened_at=timezone.now(),
            called_at=timezone.now() - ago,
            closed_at=timezone.now(),
        )


@pytest.mark.parametrize(
    ("licenses", "quota", "ceiling"), [(3, 1, 1), (5, 1, 1), (40, 2, 8), (100, 5, 20), (200, 10, 40), (5000, 10, 1000)]
)
def test_quota_and_ceiling_follow_from_the_licenses(make_place: Any, licenses: int, quota: int, ceiling: int) -> None:
    place = make_place(StandIn(licenses=licenses))
    figures = limits.figures_for(place.profile, now=timezone.now())
    assert (figures.licenses, figures.quota, figures.ceiling) == (licenses, quota, ceiling)


def test_the_alias_lowers_and_raises_but_never_above_a_fifth(place: Any) -> None:
    alias = place.profile.alias
    type(alias).objects.filter(pk=alias.pk).update(reclaim_quota=50, reclaim_ceiling=90)
    place.profile.refresh_from_db()
    figures = limits.figures_for(place.profile, now=timezone.now())
    assert (figures.quota, figures.ceiling) == (50, 20)


def test_unknown_licenses_are_the_current_seats_of_the_team(place: Any) -> None:
    type(place.profile).objects.update(licenses_reported=None)
    place.profile.refresh_from_db()
    for number in range(45):
        place.seat(f"s{number}", at_vendor=False)
    assert limits.figures_for(place.profile, now=timezone.now()).licenses == 45


@pytest.mark.parametrize(
    ("before", "size", "state"),
    [
        ([], 5, "open"),
        ([], 6, "quarantined"),
        ([(2, timedelta(hours=3))], 3, "open"),
        ([(2, timedelta(hours=3))], 4, "quarantined"),
        ([(4, timedelta(days=6))], 1, "open"),
        ([(4, timedelta(days=6))], 2, "quarantined"),
        ([(4, timedelta(days=7, minutes=1))], 5, "open"),
    ],
)
def test_above_the_quota_of_a_day_or_a_week_a_second_person_is_needed(
    place: Any, ann: Any, before: Any, size: int, state: str
) -> None:
    for count, ago in before:
        called_before(place, count, ago)
    candidates = [place.candidate(f"m{number}") for number in range(size)]
    batch = place.reclaim(*candidates, by=ann)
    assert batch.state == state
    went_on = State.READY if state == "quarantined" else State.AWAITING_REVOCATION
    assert {state_of(one) for one in candidates} == {went_on}
    assert batch.limits["quota"] == 5


def test_above_the_ceiling_it_is_refused_and_says_how_many_fit_and_when_the_rest_will(place: Any, ann: Any) -> None:
    called_before(place, 18, timedelta(days=5))
    candidates = [place.candidate(f"m{number}") for number in range(4)]
    with pytest.raises(batches.BatchRefused) as refused_batch:
        place.reclaim(*candidates, by=ann)
    assert refused_batch.value.fits == 2
    assert refused_batch.value.rest_at and timedelta(days=1) < refused_batch.value.rest_at - timezone.now()
    assert not RemovalBatch.objects.exists() and state_of(candidates[0]) == State.READY


def test_a_second_person_lets_it_go_on_and_never_the_requester(place: Any, ann: Any, bob: Any) -> None:
    candidates = [place.candidate(f"m{number}") for number in range(6)]
    batch = place.reclaim(*candidates, by=ann)
    with pytest.raises(batches.BatchRefused, match="asked for"):
        batches.decide(batch.pk, approve=True, by=ann, now=timezone.now())
    place.work()
    assert place.team.called("withdraw") == []
    batches.decide(batch.pk, approve=True, by=bob, now=timezone.now())
    place.work()
    assert len(place.team.called("withdraw")) == 6


def test_a_rejected_batch_closes_its_candidates_and_calls_nobody(place: Any, ann: Any, bob: Any) -> None:
    candidates = [place.candidate(f"m{number}") for number in range(6)]
    batch = place.reclaim(*candidates, by=ann)
    batches.decide(batch.pk, approve=False, by=bob, now=timezone.now())
    place.work()
    assert {state_of(one) for one in candidates} == {State.CLOSED_SKIPPED} and place.team.called("withdraw") == []


def test_what_a_second_person_rejected_is_left_alone_by_the_next_find(
    place: Any, ann: Any, bob: Any, time: Any
) -> None:
    found = [place.candidate(f"m{number}") for number in range(6)]
    batch = place.reclaim(*found, by=ann)
    batches.decide(batch.pk, approve=False, by=bob, now=timezone.now())
    assert {state_of(one) for one in found} == {State.CLOSED_SKIPPED}
    until = timezone.localdate() + timedelta(days=place.rule.cool_down_days)
    for one in found:
        one.subscription.refresh_from_db()
        assert one.subscription.keep_until == until
    time.pass_by(days=1)
    place.refresh()
    assert place.find().counters["proposed"] == 0


def test_of_a_batch_that_a_second_person_approves_whoever_moved_on_is_named_and_the_others_go_on(
    make_place: Any, ann: Any, bob: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = make_place(notify_user=True, approver="group")
    found = [place.candidate(f"m{number}") for number in range(6)]
    batch = place.reclaim(*found, by=ann)
    real = first_step.run

    def run(candidate: Any, **given: Any) -> str:
        if candidate.pk == found[0].pk:
            raise workflow.NotAllowed
        return real(candidate, **given)

    monkeypatch.setattr(first_step, "run", run)
    decided = batches.decide(batch.pk, approve=True, by=bob, now=timezone.now())
    assert batches.left_out(decided) == [(found[0].number, batches.MOVED_ON)]
    assert [state_of(one) for one in found[1:]] == [State.AWAITING_USER] * 5


def test_split_over_many_batches_no_more_are_removed_than_the_quota(place: Any, ann: Any) -> None:
    for number in range(9):
        place.reclaim(place.candidate(f"m{number}"), by=ann)
    place.work()
    assert len(place.team.called("withdraw")) == 5
    assert RemovalBatch.objects.filter(state="quarantined").count() == 4


def test_two_profiles_of_one_team_share_its_limits_and_its_member(make_place: Any, ann: Any) -> None:
    first = make_place()
    second = make_place(first.team)
    here, there = first.candidate("eve"), second.candidate("eve")
    first.reclaim(here, by=ann)
    second.reclaim(there, by=ann)
    assert state_of(there) == State.AWAITING_REVOCATION and there.hold == "other_removal"
    first.work()
    second.work()
    assert first.team.called("withdraw") == ["dbmid:eve"]
    assert (state_of(here), state_of(there)) == (State.AWAITING_REVOCATION, State.CLOSED_COMPLETE)
    assert here.savings.count() == 1 and there.savings.count() == 0
    for candidate in (here, there):
        candidate.subscription.refresh_from_db()
        assert candidate.subscription.ended_at
    assert limits.figures_for(second.profile, now=timezone.now()).day == 1


@pytest.mark.parametrize("waits_for", [State.AWAITING_USER, State.AWAITING_APPROVAL])
def test_who_may_still_answer_for_one_profile_is_not_removed_through_the_other(
    make_place: Any, ann: Any, time: Any, waits_for: State
) -> None:
    first = make_place()
    second = make_place(first.team)
    here, there = first.candidate("eve"), second.candidate("eve")
    RemovalCandidate.objects.filter(pk=there.pk).update(state=waits_for)
    first.reclaim(here, by=ann)
    first.work()
    assert first.team.called("withdraw") == []
    assert state_of(here) == State.AWAITING_REVOCATION and here.hold == "keep"
    RemovalCandidate.objects.filter(pk=there.pk).update(state=State.CLOSED_CANCELED, closed_at=timezone.now())
    time.pass_by(hours=2)
    first.refresh()
    first.work()
    assert first.team.called("withdraw") == ["dbmid:eve"]


def test_what_the_other_profile_gave_up_is_tried_for_the_second(make_place: Any, ann: Any) -> None:
    first = make_place()
    second = make_place(first.team)
    here, there = first.candidate("eve"), second.candidate("eve")
    first.reclaim(here, by=ann)
    second.reclaim(there, by=ann)
    from reclamation import workflow  # noqa: PLC0415 - the step under test

    here.refresh_from_db()
    workflow.skip(here, reason="Kept", by=ann, now=timezone.now())
    second.work()
    assert attempt_of(there).state == Attempt.REMOVED


def test_skipping_ends_what_has_not_begun_and_is_refused_afterwards(place: Any, ann: Any) -> None:
    from reclamation import workflow  # noqa: PLC0415 - the step under test

    one, two = place.candidate("one"), place.candidate("two")
    place.reclaim(one, by=ann)
    workflow.skip(state_and_row(one), reason="Kept", by=ann, now=timezone.now())
    assert attempt_of(one).state == Attempt.CANCELED
    place.reclaim(two, by=ann)
    place.work()
    with pytest.raises(workflow.NotAllowed):
        workflow.skip(state_and_row(two), reason="Kept", by=ann, now=timezone.now())
    assert state_of(two) == State.AWAITING_REVOCATION


def state_and_row(candidate: Any) -> Any:
    candidate.refresh_from_db()
    return candidate


def test_the_switch_pressed_in_mid_batch_lets_no_further_call_out(place: Any, ann: Any) -> None:
    candidates = [place.candidate(f"m{number}") for number in range(4)]

    def press(verb: str, member: str) -> None:
        if len(place.team.called("withdraw")) == 2:
            switch.pause(None, reason="Stop", by=ann, now=timezone.now())

    place.team.before_effect = press
    place.reclaim(*candidates, by=ann)
    place.work()
    assert len(place.team.called("withdraw")) == 2
    switch.go_on(None, reason="Go", by=ann, now=timezone.now())
    place.team.before_effect = lambda *given: None
    place.work()
    assert len(place.team.called("withdraw")) == 4


def test_a_dry_run_decides_like_a_real_one_and_calls_nobody(place: Any, ann: Any) -> None:
    candidates = [place.candidate(name) for name in ("one", "two", "adm", "zoe")]
    place.team.use("dbmid:two")
    place.team.change("dbmid:adm", is_admin=True)
    dry = place.reclaim(*candidates, by=ann, dry_run=True)
    place.work()
    assert place.team.effects == [] and {state_of(one) for one in candidates} == {State.READY}
    real = place.reclaim(*candidates, by=ann)
    place.work()

    def unlike(answer: dict[str, Any]) -> set[str]:
        """When it was answered; and a dry run uses up nothing of the limits."""
        return {"at", "detail"} if answer["guard"] == "limits" else {"at"}

    def decisions(batch: RemovalBatch) -> list[Any]:
        found = []
        for attempt in batch.attempts.order_by("external_id"):
            gates = (attempt.gate_at_approval, attempt.gate_at_call)
            rows = [[{k: v for k, v in one.items() if k not in unlike(one)} for one in gate] for gate in gates]
            found.append((attempt.external_id, rows))
        return found

    assert decisions(dry) == decisions(real) and len(decisions(dry)) == 4
    assert place.team.called("withdraw") == ["dbmid:one", "dbmid:zoe"]


def test_three_in_a_row_that_need_a_person_stop_the_batch(place: Any, ann: Any, bob: Any) -> None:
    candidates = [place.candidate(f"m{number}") for number in range(5)]
    place.team.arm("withdraw", *[refused("remove_last_admin")] * 3)
    batch = place.reclaim(*candidates, by=ann)
    run = place.work()
    assert len(place.team.called("withdraw")) == 3 and run and run.warnings
    batch.refresh_from_db()
    assert batch.state == "quarantined" and "Three" in batch.limits["stopped"]
    batches.decide(batch.pk, approve=True, by=bob, now=timezone.now())
    place.work()
    assert len(place.team.called("withdraw")) == 5


def test_a_batch_is_done_when_nothing_of_it_is_open(place: Any, ann: Any, time: Any) -> None:
    candidate = place.candidate("ivy", seat={"status": "invited"}, reason="invited")
    batch = place.reclaim(candidate, by=ann)
    place.work()
    batch.refresh_from_db()
    assert batch.state == "done"


def test_a_batch_asks_the_log_once_for_each_and_at_its_first_gate_about_all_at_once(place: Any, ann: Any) -> None:
    """The log can be asked about one account at a time. Right before its call each is asked about anyway."""
    names = [f"eve{number}" for number in range(4)]
    batch = [place.candidate(name) for name in names]
    place.reclaim(*batch, by=ann)
    place.work()
    members = [f"dbmid:{name}" for name in names]
    assert place.team.called("withdraw") == members
    assert place.team.called("recent") == members, "one question to the log for each"
    assert place.team.called("returned") == [], "and it says who came back, too"
    assert place.team.called("look") == [*members, *members], "all at once, then each alone"
    assert place.team.called("team") == [""]
    for one in batch:
        first, last = (gate_of(attempt_of(one), name) for name in ("gate_at_approval", "gate_at_call"))
        assert "right before the call" in first["detail"] and "no use since" in last["detail"]


@pytest.mark.parametrize(
    ("seat", "about", "asked"),
    [
        ({}, {"justification": "unlicensed"}, ["dbmid:eve"]),
        ({"status": "invited"}, {"reason": "invited"}, []),
    ],
    ids=["its use does not matter", "an invitation"],
)
def test_whose_use_is_not_asked_for_is_asked_about_at_most_once(
    place: Any, ann: Any, seat: dict[str, Any], about: dict[str, Any], asked: list[str]
) -> None:
    """Whether it came back is the only question then. An invitation that was never called about has no log."""
    place.reclaim(place.candidate("eve", seat=seat, opened_by=ann, **about), by=ann)
    place.work()
    assert place.team.called("withdraw") == ["dbmid:eve"]
    assert (place.team.called("recent"), place.team.called("returned")) == ([], asked)


def gate_of(attempt: RemovalAttempt, name: str) -> dict[str, Any]:
    return next(answer for answer in getattr(attempt, name) if answer["guard"] == "still_idle")
