"""F56 to F65: removals, against a vendor that answers over HTTP. One clock for it and the product is moved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from profiles.connectors.dropbox.connector import Dropbox
from profiles.connectors.dropbox.sandbox import Fault, Sandbox, serving
from profiles.connectors.dropbox.sandbox.schedule import EFFECT_FAULTS, JOB_FAULTS
from profiles.connectors.dropbox.sandbox.team import TEAM_ROLE, Team
from profiles.jobs import execute
from profiles.models import IntegrationProfile, JobRun
from reclamation import find_candidates
from reclamation.models import Exemption, RemovalAttempt, RemovalCandidate
from reclamation.removal import batches, limits, regret, restore, switch
from reclamation.states import State
from subscriptions.models import LastActivity
from tests import factories
from tests.faults.idle_team import IdleTeam
from tests.reclamation.removal.conftest import Time

pytestmark = [pytest.mark.fault, pytest.mark.django_db]
Attempt = RemovalAttempt.State
REMOVE = "team/members/remove"
POLL = "team/members/remove/job_status/get"
RECOVER = "team/members/recover"
MORNING = datetime(2027, 3, 10, 9, 0, tzinfo=UTC)
HALF_AN_HOUR = timedelta(minutes=29)


@pytest.fixture
def time() -> Iterator[Time]:
    """One clock for the product and the sandbox."""
    found = Time()
    found.journey.begin()
    yield found
    found.journey.end()


@pytest.fixture
def house(time: Time, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[IdleTeam]:
    """A team of 1,200 licenses behind a real port. A worker that is told to wait lets the time pass by instead."""
    team = Team("Nordwind Trading", "nordwind.example", 300, 1200)
    sandbox = Sandbox([team], redirect_uris=[settings.OAUTH_REDIRECT_URL], now=timezone.now)
    server = serving.serve(sandbox).start()
    settings.DROPBOX_AUTHORIZE_URL = f"{server.url}/oauth2/authorize"
    settings.DROPBOX_TOKEN_URL = f"{server.url}/oauth2/token"
    settings.DROPBOX_API_URL = server.url
    monkeypatch.setattr("profiles.jobs.execute.Job.wait", lambda job, seconds, reason: time.pass_by(seconds=seconds))
    yield IdleTeam(sandbox)
    server.shutdown()
    server.server_close()


def remove_one(house: IdleTeam, **rule: Any) -> RemovalAttempt:
    """Press Reclaim for one idle account, and let a worker go on with it."""
    house.press(house.candidates(house.rule(**rule), 1))
    house.work()
    return RemovalAttempt.objects.latest("pk")


def play_to_end(house: IdleTeam, time: Time, *, hours: int = 30) -> None:
    """Workers go on until nothing is open but what waits for a person or for the end of its undo window."""
    over = (Attempt.NEEDS_HUMAN, Attempt.REMOVED)
    until, pause = timezone.now() + timedelta(hours=hours), 61.0
    while RemovalAttempt.objects.filter(closed_at=None).exclude(state__in=over).exists():
        assert timezone.now() < until, house.states()
        time.pass_by(seconds=pause)
        pause = min(pause * 1.5, 3600)
        house.refresh()
        house.work()


def removed_wrongly(house: IdleTeam, *members: str) -> int:
    return sum(house.times_done()["remove", one] for one in members)


def wrongly_stored(house: IdleTeam) -> int:
    """Attempts that say removed where the vendor did not, and the other way round."""
    done = house.times_done()
    return sum(bool(done["remove", one.external_id]) != bool(one.withdrawn_at) for one in RemovalAttempt.objects.all())


@pytest.mark.parametrize("kind", EFFECT_FAULTS)
def test_a_lost_or_late_answer_is_never_repeated_blindly(house: IdleTeam, time: Time, measured: Any, kind: str) -> None:
    house.sandbox.faults.add(REMOVE, 1, EFFECT_FAULTS[kind](7))
    attempt = remove_one(house)
    unknown, calls = attempt.state == Attempt.UNKNOWN, house.calls(REMOVE)
    if unknown:
        time.pass_by(seconds=HALF_AN_HOUR.total_seconds())
        house.refresh()
        house.work()
    blind = house.calls(REMOVE) - calls if unknown else 0
    play_to_end(house, time)
    measured("F56", f"remove: {kind}", "calls again before looks", blind)
    measured("F56", f"remove: {kind}", "members removed twice", house.times_done()["remove", attempt.external_id] > 1)
    measured("F56", f"remove: {kind}", "states that are not the vendor's", wrongly_stored(house))


def test_every_number_of_seconds_by_which_an_effect_may_be_late(house: IdleTeam, time: Time, measured: Any) -> None:
    """Up to 25 minutes late the looks see it; a second call would find a member that is gone already."""
    late = (1, 59, 301, 900, 1499)
    for place, seconds in enumerate(late, start=1):
        fault = Fault(status=503, delivery=EFFECT_FAULTS["answer lost, effect late"](1).delivery)
        kept = Fault(status=fault.status, delivery=fault.delivery, late=timedelta(seconds=seconds))
        house.sandbox.faults.add(REMOVE, place, kept)
    house.press(house.candidates(house.rule(), len(late)))
    house.work()
    play_to_end(house, time)
    twice = sum(count > 1 for count in house.times_done().values())
    injected = f"effects {late} seconds late, answers lost"
    measured("F56", injected, "members removed twice", twice)
    measured("F56", injected, "second calls", house.calls(REMOVE) - len(late))
    measured("F56", injected, "states that are not the vendor's", wrongly_stored(house))


@pytest.mark.parametrize("kind", [*JOB_FAULTS, "never ends"])
def test_a_job_that_fails_or_never_ends_is_asked_about_and_then_a_persons(
    house: IdleTeam, time: Time, measured: Any, kind: str
) -> None:
    house.sandbox.work.always_jobs = True
    endless = kind == "never ends"
    if endless:
        house.sandbox.work.job_takes = timedelta(days=9)
    fault = JOB_FAULTS["still in progress" if endless else kind](3)
    house.sandbox.faults.add(POLL, None if endless else 1, fault)
    attempt = remove_one(house)
    calls = house.calls(REMOVE)
    time.pass_by(seconds=HALF_AN_HOUR.total_seconds())
    house.refresh()
    house.work()
    measured("F57", f"job of a removal: {kind}", "calls again before looks", house.calls(REMOVE) - calls)
    play_to_end(house, time, hours=40)
    open_ones = RemovalAttempt.objects.filter(closed_at=None).exclude(state__in=(Attempt.REMOVED, Attempt.NEEDS_HUMAN))
    measured("F57", f"job of a removal: {kind}", "attempts without an end", open_ones.count())
    measured(
        "F57",
        f"job of a removal: {kind}",
        "members removed twice",
        house.times_done()["remove", attempt.external_id] > 1,
    )


def use_it(house: IdleTeam, member: str) -> None:
    house.sandbox.console().note_use(house.member(member), timezone.now() - timedelta(minutes=1))


def exempt_it(house: IdleTeam, member: str) -> None:
    Exemption.objects.create(subscription=house.seat(member), reason="VIP", at=timezone.now())


def make_admin(house: IdleTeam, member: str) -> None:
    house.member(member)["roles"] = [dict(TEAM_ROLE)]


def suspend(house: IdleTeam, member: str) -> None:
    house.member(member)["profile"]["status"] = {".tag": "suspended"}


def change_plan(house: IdleTeam, member: str) -> None:
    """The model is not under management any more, as when the contract has changed."""
    model = house.seat(member).identifier.software_model
    type(model).objects.filter(pk=model.pk).update(under_management=False)


CHANGES: dict[str, Callable[[IdleTeam, str], None]] = {
    "active": use_it,
    "exempt": exempt_it,
    "administrator": make_admin,
    "suspended": suspend,
    "no longer managed": change_plan,
}


@pytest.mark.parametrize("when", ["approved", "checked"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_change_after_the_approval_cancels(
    house: IdleTeam, measured: Any, monkeypatch: pytest.MonkeyPatch, change: str, when: str
) -> None:
    changed = house.candidates(house.rule(), 1)[0]
    others = house.candidates(house.rule(), 3)
    house.press([changed, *others])

    def happen() -> None:
        CHANGES[change](house, changed.external_id)

    if when == "approved":
        happen()
    else:
        between_the_gates(monkeypatch, happen)
    house.work()
    figures = limits.check_to_call_figures(now=timezone.now())
    assert figures and figures["calls"] == 3
    injected = f"{change} after it was {when}"
    measured("F58", injected, "removed wrongly", removed_wrongly(house, changed.external_id))
    measured("F58", injected, "others not removed", 3 - removed_wrongly(house, *(one.external_id for one in others)))
    measured("F58", injected, "last look to call", figures["most"], must="≤ 2000 ms")


def between_the_gates(monkeypatch: pytest.MonkeyPatch, happen: Callable[[], None]) -> None:
    """Let something happen once, after the whole batch was checked and before the first call."""
    from reclamation.removal import reclaim  # noqa: PLC0415 - what is patched

    real = reclaim._call_all

    def call_all(progress: Any) -> None:
        happen()
        real(progress)

    monkeypatch.setattr(reclaim, "_call_all", call_all)


@pytest.mark.parametrize("kind", [kind for kind in EFFECT_FAULTS if kind.endswith("after the effect")])
def test_whom_an_administrator_restores_meanwhile_is_never_removed_again(
    house: IdleTeam, time: Time, measured: Any, kind: str
) -> None:
    house.sandbox.faults.add(REMOVE, 1, EFFECT_FAULTS[kind](1))
    attempt = remove_one(house)
    assert attempt.state == Attempt.UNKNOWN
    house.sandbox.console().restore(house.member(attempt.external_id))
    play_to_end(house, time)
    again = house.times_done()["remove", attempt.external_id] - 1
    measured("F59", f"{kind}, restored in the console", "removed again", again)
    measured("F59", f"{kind}, restored in the console", "calls again", house.calls(REMOVE) - 1)


def leave_team(house: IdleTeam, member: str) -> None:
    house.sandbox.console().remove(house.member(member))


def lose_address(house: IdleTeam, member: str) -> None:
    house.member(member)["profile"]["email_verified"] = False


def become_candidate(house: IdleTeam, member: str) -> None:
    house.candidate(house.member(member), house.rule())


def be_busy(house: IdleTeam, member: str) -> None:
    house.sandbox.faults.add(REMOVE, 1, EFFECT_FAULTS["busy"](1))


TROUBLES: dict[str, Callable[[IdleTeam, str], None]] = {
    "gone": leave_team,
    "not verified": lose_address,
    "suspended": suspend,
    "itself a candidate": become_candidate,
    "busy": be_busy,
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_where_nobody_can_receive_the_files_the_removal_waits_and_others_go_on(
    house: IdleTeam, time: Time, measured: Any, trouble: str
) -> None:
    receiver = next(house._idle)["profile"]["team_member_id"]
    rule = house.rule(undo_days=0, destination="named", destination_external_id=receiver)
    held = house.candidates(rule, 1)[0]
    others = house.candidates(house.rule(), 2)
    TROUBLES[trouble](house, receiver)
    house.press([held, *others])
    house.work()
    injected = f"the account that receives the files: {trouble}"
    measured("F60", injected, "removed without a place for the files", removed_wrongly(house, held.external_id))
    measured("F60", injected, "others not removed", 2 - removed_wrongly(house, *(one.external_id for one in others)))
    attempt = RemovalAttempt.objects.get(candidate=held)
    told = attempt.error_message or RemovalCandidate.objects.get(pk=held.pk).hold_text
    measured("F60", injected, "held without a reason", int(not told))


def test_the_limits_hold_however_the_batches_are_cut(house: IdleTeam, time: Time, measured: Any) -> None:
    type(house.profile.alias).objects.filter(pk=house.profile.alias.pk).update(reclaim_quota=None)
    house.profile = IntegrationProfile.objects.get(pk=house.profile.pk)
    rule, seats = house.rule(), [next(house._idle) for _ in range(8)]
    ready = [house.candidate(member, rule) for member in seats] + made_up(house, rule, 992)
    with pytest.raises(batches.BatchRefused):
        house.press(ready)
    for at in range(0, 40, 4):
        house.press(ready[at : at + 4])
        house.work()
        time.pass_by(minutes=7)
    stopped = house.press(ready[40:240])
    house.work()
    figures = limits.figures_for(house.profile, now=timezone.now())
    injected = "1,000 candidates, pressed at once, and ten times four within an hour"
    measured("F61", injected, "called", figures.week, must=f"≤ {figures.quota}")
    measured("F61", injected, "quota of the team", figures.quota, must="= 10")
    measured("F61", injected, "batches above it that do not wait", int(stopped.state != "quarantined"))


def made_up(house: IdleTeam, rule: Any, count: int) -> list[RemovalCandidate]:
    """Candidates whose accounts the vendor does not know. Nothing is called about them below the limits."""
    long_ago = timezone.now() - timedelta(days=300)
    identifier = rule.software_model.identifiers.get()
    seats = [
        factories.subscription_row(
            profile=house.profile,
            identifier=identifier,
            external_id=f"dbmid:made-up-{number}",
            first_seen_at=long_ago,
            assigned_at=long_ago,
        )
        for number in range(count)
    ]
    type(seats[0]).objects.bulk_create(seats)
    return [factories.candidate(seat, rule=rule, reason="idle", status_at_opening="active") for seat in seats]


@pytest.mark.parametrize("everywhere", [True, False])
def test_the_switch_stops_the_next_call(
    house: IdleTeam, measured: Any, monkeypatch: pytest.MonkeyPatch, everywhere: bool
) -> None:
    house.press(house.candidates(house.rule(), 8))
    real = Dropbox.withdraw

    def withdraw(self: Any, *given: Any, **named: Any) -> Any:
        effect = real(self, *given, **named)
        if house.calls(REMOVE) == 3:
            of = None if everywhere else house.profile
            switch.pause(of, reason="Stop", by=house.bob, now=timezone.now())
        return effect

    monkeypatch.setattr(Dropbox, "withdraw", withdraw)
    house.work()
    house.work()
    injected = f"switch pressed {'everywhere' if everywhere else 'for the profile'} at the third of 8 calls"
    measured("F62", injected, "calls after it", house.calls(REMOVE) - 3)
    measured("F62", injected, "removals that do not wait", 5 - house.states()[Attempt.GATED])


def grow_old(house: IdleTeam) -> None:
    read_at = timezone.now() - timedelta(hours=25)
    IntegrationProfile.objects.filter(pk=house.profile.pk).update(activity_refreshed_at=read_at)
    house.profile.coverage.update(until=read_at)


def lose_interval(house: IdleTeam) -> None:
    now = timezone.now()
    house.profile.coverage.all().delete()
    factories.coverage(house.profile, now - timedelta(days=99), now - timedelta(days=12))
    factories.coverage(house.profile, now - timedelta(days=11), now)


def lose_all(house: IdleTeam) -> None:
    house.profile.coverage.all().delete()


def lose_file_events(house: IdleTeam) -> None:
    IntegrationProfile.objects.filter(pk=house.profile.pk).update(file_events=False)


GAPS: dict[str, Callable[[IdleTeam], None]] = {
    "activity 25 hours old": grow_old,
    "a day of coverage missing": lose_interval,
    "no coverage": lose_all,
}


@pytest.mark.parametrize("gap", GAPS)
def test_without_unbroken_knowledge_of_the_activity_nobody_is_removed(house: IdleTeam, measured: Any, gap: str) -> None:
    house.press(house.candidates(house.rule(), 3))
    GAPS[gap](house)
    house.work()
    measured("F63", f"{gap}, 3 approved", "removed", house.calls(REMOVE))


@pytest.mark.parametrize("gap", [*GAPS, "a plan without file events"])
def test_without_unbroken_knowledge_of_the_activity_nobody_is_proposed(
    house: IdleTeam, measured: Any, gap: str
) -> None:
    house.candidates(house.rule(), 3)
    RemovalCandidate.objects.all().delete()
    GAPS.get(gap, lose_file_events)(house)
    run = factories.run(profile=house.profile, process=find_candidates.FIND, state=JobRun.State.QUEUED)
    execute.run(run.pk, find_candidates.run)
    run.refresh_from_db()
    assert run.state == "succeeded", run.error_message
    measured("F63", f"{gap}, 3 idle accounts", "proposed", RemovalCandidate.objects.count())


@pytest.mark.parametrize("hours", [0.02, 3, 72])
def test_use_that_is_learned_after_a_removal_raises_the_alarm(
    house: IdleTeam, time: Time, measured: Any, hours: float
) -> None:
    house.press(house.candidates(house.rule(), 4))
    house.work()
    removed = list(RemovalAttempt.objects.filter(state=Attempt.REMOVED))
    assert len(removed) == 4
    time.pass_by(hours=26)
    for attempt in removed:
        assert attempt.withdrawn_at
        learned = LastActivity.objects.filter(subscription__external_id=attempt.external_id)
        learned.update(at=attempt.withdrawn_at - timedelta(hours=hours))
    regret.watch(now=timezone.now())
    detected = RemovalAttempt.objects.filter(regret_at__isnull=False).count()
    injected = f"use {hours} h before 4 removals, known a day later"
    measured("F64", injected, "detected", 100 * detected / len(removed), must="= 100 %")
    paused = switch.paused_because(house.profile)
    measured("F64", injected, "removals go on after two alarms", int(not paused))


def test_a_restore_that_the_vendor_refuses_is_told_and_can_be_tried_again(
    house: IdleTeam, time: Time, measured: Any
) -> None:
    attempt = remove_one(house)
    assert attempt.state == Attempt.REMOVED
    for refusal in ("team_license_limit", "team_license_limit"):
        house.sandbox.faults.add(
            RECOVER, 1, Fault(status=409, body={"error_summary": refusal, "error": {".tag": refusal}})
        )
        attempt.refresh_from_db()
        restore.request(attempt, by=house.ann, now=timezone.now())
        house.work()
        attempt.refresh_from_db()
        told = attempt.state == Attempt.REMOVED and attempt.error_message == restore.NO_LICENSE
        measured("F65", "restore: no free license", "told what to do", 100 * told, must="= 100 %")
        time.pass_by(minutes=3)
    restore.request(attempt, by=house.ann, now=timezone.now())
    house.work()
    attempt.refresh_from_db()
    back = attempt.state == Attempt.RESTORED and not house.is_removed(attempt.external_id)
    measured("F65", "restore: no free license, pressed again", "restored", 100 * back, must="= 100 %")
    candidate = RemovalCandidate.objects.get(pk=attempt.candidate_id)
    measured("F65", "restore: no free license, pressed again", "open candidates", candidate.state in (State.READY,))
