"""Every definition of a back-test, by examples to be checked by hand: who is proposed when, and what became of it.

A threshold of 30 days: used on day 10, a seat is idle from day 40 on. Replayed are days 42, 49, 56 and so on.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from profiles.connectors import base
from profiles.jobs import queue
from profiles.models import JobRun
from reclamation.back_tests import replay, start
from reclamation.back_tests.start import Question
from reclamation.models import BackTest, BackTestFinding, Exemption
from reclamation.states import State
from samsaas import schedule
from subscriptions.activity import last_used
from subscriptions.models import ActivityDay
from tests import factories, worlds
from tests.reclamation.back_tests.past import Past, at, found, on

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


# When it is proposed


@pytest.mark.parametrize(
    ("used", "day"),
    [([10], 42), ([12], 42), ([13], 49), ([19], 49), ([20], 56), ([10, 40], 70), ([], 42), ([10, 42], 77)],
)
def test_it_is_proposed_on_the_first_day_on_which_it_was_idle(used: list[int], day: int) -> None:
    past = Past()
    seat = past.seat(*used)
    assert found(past.test(42, 84))[seat.pk][0] == day


def test_each_counts_once_even_if_it_comes_back_and_is_idle_again() -> None:
    past = Past()
    past.seat(10, 50)
    test = past.test(42, 140)
    assert test.figures["proposed"] == 1 and test.figures["back"] == 1
    assert [line[0] for line in test.figures["days"]] == [on(day).isoformat() for day in range(42, 141, 7)]
    assert [line[1] for line in test.figures["days"]] == [1, *[0] * 14]


def test_a_day_of_a_session_is_a_day_of_use() -> None:
    past = Past()
    seat = past.seat()
    ActivityDay.objects.create(subscription=seat, day=on(41), events=0, pull=0)
    assert found(past.test(42, 63)) == {}


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "idle"),
        ({"status": "suspended", "suspended_at": at(5)}, "suspended"),
        ({"status": "suspended", "suspended_at": at(13)}, ""),
        ({"status": "suspended", "suspended_at": at(60)}, "idle"),
        ({"status": "removed", "suspended_at": at(5), "ended_at": at(50)}, "suspended"),
        ({"status": "unknown"}, ""),
        ({"status": "removed"}, ""),
        ({"consumes_license": False}, ""),
        ({"is_admin": True}, ""),
        ({"excluded": True}, ""),
        ({"ended_at": at(42.5)}, ""),
        ({"ended_at": at(43)}, "idle"),
        ({"restored_at": at(13)}, ""),
        ({"returned_at": at(13)}, ""),
        ({"restored_at": at(12.9)}, "idle"),
        ({"restored_at": at(43)}, "idle"),
        ({"assigned_at": at(13)}, ""),
        ({"assigned_at": at(12.9)}, "idle"),
        ({"assigned_at": at(43), "first_seen_at": at(43)}, ""),
        ({"keep_until": on(50)}, "idle"),
    ],
    ids=str,
)
def test_the_facts_of_the_day_decide(fields: dict[str, Any], reason: str) -> None:
    past = Past()
    seat = past.seat(10, **fields)
    assert found(past.test(42, 42)).get(seat.pk, (0, ""))[1] == reason


@pytest.mark.parametrize(
    ("changes", "fields", "used", "reason"),
    [
        ({"include_never_active": False}, {}, [], ""),
        ({"include_never_active": False}, {}, [1], "idle"),
        ({}, {}, [], "never_active"),
        ({"threshold_days": 40}, {"assigned_at": at(2.5)}, [], "never_active"),
        ({"threshold_days": 40}, {"assigned_at": at(3)}, [], ""),
        ({"threshold_days": 40}, {"assigned_at": at(3)}, [1], "idle"),
        ({"include_suspended": False}, {"status": "suspended"}, [1], ""),
        ({}, {"status": "invited", "assigned_at": None, "invited_at": at(12.5)}, [], "invited"),
        ({}, {"status": "invited", "assigned_at": None, "invited_at": at(13)}, [], ""),
        ({"include_invited": False}, {"status": "invited", "assigned_at": None, "invited_at": at(1)}, [], ""),
        ({}, {"status": "active", "assigned_at": at(45), "invited_at": at(1)}, [], "invited"),
        ({"include_leavers": False}, {}, [41], ""),
    ],
    ids=str,
)
def test_the_settings_of_the_back_test_decide_not_those_of_the_rule(
    changes: dict[str, Any], fields: dict[str, Any], used: list[int], reason: str
) -> None:
    past = Past()
    seat = past.seat(*used, **fields)
    assert found(past.test(42, 42, **changes)).get(seat.pk, (0, ""))[1] == reason


@pytest.mark.parametrize(("left", "reason"), [(41, "leaver"), (42, ""), (45, "")])
def test_leavers_are_proposed_the_day_after_their_last_though_active(left: int, reason: str) -> None:
    past = Past()
    seat = past.seat(41)
    factories.match(seat, factories.person(left_on=on(left)))
    assert found(past.test(42, 42)).get(seat.pk, (0, ""))[1] == reason


@pytest.mark.parametrize(
    ("fields", "proposed"),
    [
        ({"at": at(20)}, False),
        ({"at": at(43)}, True),
        ({"at": at(20), "until": on(41)}, True),
        ({"at": at(20), "until": on(42)}, False),
        ({"at": at(20), "ended_at": at(42.9)}, True),
        ({"at": at(20), "ended_at": at(43)}, False),
    ],
    ids=str,
)
@pytest.mark.parametrize("of", ["person", "subscription"])
def test_an_exemption_counts_if_it_was_valid_on_the_day(of: str, fields: dict[str, Any], proposed: bool) -> None:
    past = Past()
    seat = past.seat(10)
    person = factories.person()
    factories.match(seat, person)
    Exemption.objects.create(reason="x", **{of: {"person": person, "subscription": seat}[of]}, **fields)
    assert (seat.pk in found(past.test(42, 42))) is proposed


@pytest.mark.parametrize(("decided", "proposed"), [(42.5, False), (43, True)])
def test_a_decision_to_keep_counts_from_when_it_was_made(decided: float, proposed: bool) -> None:
    past = Past()
    seat = past.seat(10, keep_until=on(90))
    factories.candidate(seat, state=State.CLOSED_SKIPPED, closed_at=at(decided))
    assert (seat.pk in found(past.test(42, 42))) is proposed


def test_conditions_choose_and_leavers_need_none() -> None:
    past = Past()
    here, elsewhere, leaver, nobody = (past.seat(10) for _ in range(4))
    factories.match(here, factories.person(department="Sales"))
    factories.match(elsewhere, factories.person(department="Law"))
    factories.match(leaver, factories.person(department="Law", left_on=on(20)))
    test = past.test(42, 42, conditions={"department": ["Sales"]})
    assert {seat: reason for seat, (_, reason, _) in found(test).items()} == {here.pk: "idle", leaver.pk: "leaver"}
    assert nobody.pk not in found(test)


def test_another_model_another_team_and_a_foreign_profile_are_left_alone() -> None:
    past = Past(profile_fields={"team_since": at(-100)})
    past.seat(10, identifier=factories.identifier())
    past.seat(10, known_since=at(-101))
    mine = past.seat(10, known_since=at(-99))
    assert set(found(past.test(42, 42))) == {mine.pk}


# What was known


@pytest.mark.parametrize(("since", "day"), [(13, 42), (13.1, 49), (20, 49), (80, 112), (300, None)])
def test_the_whole_threshold_has_to_have_been_read(since: float, day: int | None) -> None:
    past = Past(known=(since, 400))
    seat = past.seat()
    assert found(past.test(42, 119)).get(seat.pk, (None,))[0] == day


def test_who_became_known_later_is_known_from_when_the_log_was_read_for_them() -> None:
    past = Past(known=())  # type: ignore[arg-type]
    factories.coverage(past.profile, at(0), at(300), known_by=at(-10))
    read, unread = past.seat(known_since=at(-5), read_from=at(20)), past.seat(known_since=at(-5))
    assert found(past.test(42, 84)) == {read.pk: (49, "never_active", "away")}
    assert unread.pk not in found(past.test(42, 84))


@pytest.mark.parametrize(
    ("file_events", "session", "changes", "proposed"),
    [
        (False, False, {}, False),
        (False, True, {}, True),
        (False, False, {"logins_are_enough": True}, True),
        (None, False, {}, True),
    ],
)
def test_sign_ins_alone_say_too_little(
    file_events: bool | None, session: bool, changes: dict[str, Any], proposed: bool
) -> None:
    past = Past(profile_fields={"file_events": file_events})
    if session:
        factories.run(profile=past.profile, process=base.ACTIVITY, facts={last_used.SESSION_FACT: "x"})
    past.seat(10)
    assert bool(found(past.test(42, 42, **changes))) is proposed


# What became of it


@pytest.mark.parametrize(
    ("used", "fields", "outcome"),
    [
        ([10], {}, "away"),
        ([10, 43], {}, "back"),
        ([10, 72], {}, "back"),
        ([10, 73], {}, "away"),
        ([10], {"ended_at": at(43)}, "ended"),
        ([10], {"ended_at": at(72.9)}, "ended"),
        ([10], {"ended_at": at(73)}, "away"),
        ([10, 50], {"ended_at": at(60)}, "back"),
    ],
)
def test_back_is_a_use_in_the_horizon_and_who_ended_without_is_not_counted(
    used: list[int], fields: dict[str, Any], outcome: str
) -> None:
    past = Past()
    seat = past.seat(*used, **fields)
    test = past.test(42, 42)
    assert found(test) == {seat.pk: (42, "idle", outcome)}
    figures = test.figures
    assert (figures["proposed"], figures["back"]) == (1, int(outcome == "back"))
    assert figures["censored"] == int(outcome == "ended")


@pytest.mark.parametrize("used", [[10], [10, 50]], ids=["unused", "used"])
@pytest.mark.parametrize(
    ("until", "then", "outcome"),
    [
        (76, None, None),  # 73 and three days for late events
        (75.9, None, "not_settled"),
        (43, None, "not_settled"),
        (60, 61, "gap"),
        (43, 44, "gap"),
    ],
)
def test_a_horizon_that_is_not_known_to_its_end_counts_for_nothing(
    until: float, then: float | None, outcome: str | None, used: list[int]
) -> None:
    past = Past(known=(0, until))
    if then is not None:
        factories.coverage(past.profile, at(then), at(300))
    seat = past.seat(*used)
    test = past.test(42, 42)
    assert found(test)[seat.pk][2] == (outcome or ("back" if len(used) > 1 else "away"))
    assert test.figures["censored"] == (1 if outcome else 0)


def test_the_day_itself_has_to_have_been_read_to_its_end() -> None:
    past = Past(known=(0, 42.9))
    past.seat(10)
    assert found(past.test(42, 42)) == {}


def test_what_is_found_says_when_it_was_used_before_and_again() -> None:
    past = Past()
    past.seat(3, 10, 50, 55)
    past.seat()
    rows = BackTestFinding.objects.filter(back_test=past.test(42, 42)).order_by("subscription")
    assert [(row.last_use_on, row.back_on) for row in rows] == [(on(10), on(50)), (None, None)]


# The run


def test_a_run_that_lost_its_worker_goes_on_after_the_last_day_it_did(monkeypatch: pytest.MonkeyPatch) -> None:
    past = Past()
    for used in (10, 20, 30):
        past.seat(used)
    whole = past.test(42, 70)
    own = {name: getattr(past.rule, name) for name in BackTest.SETTINGS}
    test = start.run(past.rule, Question(own, on(42), on(70), 30), by=None, now=at(300))  # type: ignore[arg-type]
    real, done = replay._store_findings, list[Any]()

    def break_off(*given: Any) -> int:
        done.append(given)
        if len(done) == 3:
            raise SystemExit
        return real(*given)

    with monkeypatch.context() as patch:
        patch.setattr(replay, "_store_findings", break_off)
        with pytest.raises(SystemExit):
            worlds.work()
    assert test.run_id
    JobRun.objects.filter(pk=test.run_id).update(heartbeat_at=at(0))
    queue.sweep()
    worlds.work()
    test.refresh_from_db()
    assert test.figures == whole.figures and test.figures["proposed"] == 3
    assert found(test) == found(whole)


def test_a_run_takes_as_many_statements_for_thirty_subscriptions_as_for_one() -> None:
    past = Past()
    costs = []
    schedule.count_seats()
    for number in (1, 30):
        for _ in range(number):
            past.seat(10)
        with CaptureQueriesContext(connection) as asked:
            past.test(42, 84)
        costs.append(len(asked))
    assert costs[0] == costs[1]


def test_a_back_test_changes_nothing_but_itself() -> None:
    past = Past()
    seat = past.seat(10)
    before = type(seat).objects.values().get(pk=seat.pk)
    past.test(42, 84)
    assert type(seat).objects.values().get(pk=seat.pk) == before
    assert not seat.removal_candidates.exists()


def test_the_days_are_those_of_the_installation(settings: Any) -> None:
    """In Berlin day 42 begins and ends an hour earlier: assigned at 23:30 UTC of day 12, it is 29 days old."""
    settings.TIME_ZONE = "Europe/Berlin"
    past = Past(known=(0, 300))
    young = past.seat(1, assigned_at=at(12) + timedelta(hours=23, minutes=30))
    old = past.seat(1, assigned_at=at(12) + timedelta(hours=22, minutes=30))
    assert set(found(past.test(42, 42))) == {old.pk} and young.pk
