"""Every guard of the gate: what it lets through, and what becomes of a removal that it does not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from profiles.jobs import execute
from profiles.models import Credential, IntegrationProfile, JobRun
from reclamation import find_candidates
from reclamation.asking import approve, resend
from reclamation.models import Approval, Exemption, Notice, ReclamationRule, RemovalAttempt, RuleVersion
from reclamation.removal import batches, pass_gate, switch
from reclamation.states import State
from samsaas.models import Mail
from subscriptions.models import LastActivity, Subscription
from tests import factories
from tests.reclamation.removal.place import ADMIN, TICKS, attempt_of, go_on, state_of
from tests.reclamation.removal.stand_in import Connector

Attempt = RemovalAttempt.State
HOLD = (State.AWAITING_REVOCATION, Attempt.GATED)
SKIPPED = (State.CLOSED_SKIPPED, Attempt.CANCELED)
CANCELED = (State.CLOSED_CANCELED, Attempt.CANCELED)
ATTENTION = (State.ATTENTION_REQUIRED, Attempt.NEEDS_HUMAN)
EVE = "dbmid:eve"


def age(place: Any, **columns: timedelta) -> None:
    values = {name: timezone.now() - time for name, time in columns.items()}
    IntegrationProfile.objects.filter(pk=place.profile.pk).update(**values)


def seat_of(place: Any) -> Any:
    return Subscription.objects.filter(profile=place.profile, external_id=EVE)


def leave_profile(place: Any) -> None:
    IntegrationProfile.objects.filter(pk=place.profile.pk).update(reclaim=False)


def lose_scope(place: Any) -> None:
    Credential.objects.filter(alias=place.profile.alias).update(granted_scopes=["members.read", "team_info.read"])


def disconnect(place: Any) -> None:
    Credential.objects.filter(alias=place.profile.alias).update(state="needs_authorization")


def exempt(place: Any) -> None:
    Exemption.objects.create(
        subscription=seat_of(place).get(), reason="VIP", until=timezone.localdate(), at=timezone.now()
    )


def use_stored(place: Any) -> None:
    LastActivity.objects.filter(subscription__external_id=EVE).update(at=timezone.now() - timedelta(days=3))


def gap(place: Any) -> None:
    place.profile.coverage.all().delete()
    factories.coverage(place.profile, timezone.now() - timedelta(days=59, hours=-1), timezone.now())


def become_destination(place: Any) -> None:
    candidate = factories.candidate(factories.subscription(profile=place.profile), state=State.AWAITING_REVOCATION)
    RemovalAttempt.objects.create(
        candidate=candidate,
        profile=place.profile,
        vendor="dropbox",
        team_id=place.team.team_id,
        external_id="dbmid:other",
        state=Attempt.MOVING,
        opened_at=timezone.now(),
        intent_at=timezone.now(),
        withdrawn_at=timezone.now(),
        move_called_at=timezone.now(),
        move_job_id="job-x",
        not_before=timezone.now() + timedelta(days=1),
        destination_external_id=EVE,
    )


SPOILED_BEFORE_THE_CALL = {
    "switch": (lambda place: switch.pause(None, reason="Stop", by=None, now=timezone.now()), HOLD, "switch"),
    "switch of the profile": (
        lambda place: switch.pause(place.profile, reason="Stop", by=None, now=timezone.now()),
        HOLD,
        "switch",
    ),
    "reclaim is off": (leave_profile, HOLD, "connected"),
    "a scope is gone": (lose_scope, ATTENTION, ""),
    "another team": (lambda place: setattr(place.team, "team_id", "dbtid:other"), ATTENTION, ""),
    "the clock is wrong": (lambda place: setattr(place.team, "skew", 3600.0), HOLD, "clock"),
    "the clock is unknown": (lambda place: setattr(place.team, "skew", None), HOLD, "clock"),
    "old directory": (lambda place: age(place, refreshed_at=timedelta(hours=24)), HOLD, "directory"),
    "old activity": (lambda place: age(place, activity_refreshed_at=timedelta(hours=24)), HOLD, "activity"),
    "gap": (gap, HOLD, "activity"),
    "use is stored": (use_stored, CANCELED, ""),
    "use is in the log": (lambda place: place.team.use(EVE, timezone.now() - timedelta(days=40)), CANCELED, ""),
    "use right now": (lambda place: place.team.use(EVE), CANCELED, ""),
    "events cannot be read": (lambda place: setattr(place.team, "set_aside", 1), HOLD, "still_idle"),
    "an administrator now": (
        lambda place: place.team.change(EVE, is_admin=True, roles=("Team",)),
        SKIPPED,
        "",
    ),
    "another role": (lambda place: place.team.change(EVE, roles=("Support",)), SKIPPED, ""),
    "suspended meanwhile": (lambda place: place.team.change(EVE, status="suspended"), ATTENTION, ""),
    "an unknown status": (lambda place: place.team.change(EVE, status="frozen"), ATTENTION, ""),
    "exempt": (exempt, SKIPPED, ""),
    "kept": (lambda place: seat_of(place).update(keep_until=timezone.localdate()), SKIPPED, ""),
    "restored": (lambda place: seat_of(place).update(returned_at=timezone.now()), SKIPPED, ""),
    "excluded": (lambda place: seat_of(place).update(excluded=True), SKIPPED, ""),
    "unmanaged": (
        lambda place: type(place.rule.software_model).objects.update(under_management=False),
        SKIPPED,
        "",
    ),
    "authorized the connection": (
        lambda place: Credential.objects.filter(alias=place.profile.alias).update(admin_external_id=EVE),
        SKIPPED,
        "",
    ),
    "not reviewed": (lambda place: ReclamationRule.objects.update(reviewed_at=None), HOLD, "reviewed"),
    "receives files": (become_destination, HOLD, "receiving"),
    "second person": (lambda place: ReclamationRule.objects.update(second_person=True), HOLD, "second_person"),
    "users are asked now": (lambda place: ReclamationRule.objects.update(notify_user=True), HOLD, "notice"),
}


@pytest.mark.parametrize("what", SPOILED_BEFORE_THE_CALL)
def test_what_changes_between_the_two_gates_stops_the_call(place: Any, ann: Any, what: str) -> None:
    """Approved and checked; then something changes, and the second gate sees it."""
    spoil, (candidate_state, attempt_state), guard = SPOILED_BEFORE_THE_CALL[what]
    candidate = place.candidate("eve")
    real, place.team.before_effect = place.team.before_effect, lambda *given: None
    switch.pause(None, reason="Not yet", by=None, now=timezone.now())
    place.reclaim(candidate, by=ann)
    attempt = attempt_of(candidate)
    switch.go_on(None, reason="Go", by=ann, now=timezone.now())
    RemovalAttempt.objects.filter(pk=attempt.pk).update(
        state=Attempt.GATED, gate_at_approval=[{"guard": "role", "answer": "pass", "roles": []}]
    )
    spoil(place)
    place.work()
    assert place.team.called("withdraw") == [], real
    attempt.refresh_from_db()
    assert (state_of(candidate), attempt.state) == (candidate_state, attempt_state), attempt.gate_at_call
    assert candidate.hold == guard
    answers = {answer["guard"]: answer["answer"] for answer in attempt.gate_at_call}
    assert set(answers) == set(pass_gate.LABELS) and set(answers.values()) != {"pass"}


@pytest.mark.parametrize("wait", ["team", "make_room"])
def test_who_becomes_exempt_while_the_vendor_keeps_us_waiting_is_kept(
    place: Any, ann: Any, time: Any, monkeypatch: Any, wait: str
) -> None:
    """It takes long to learn which team this is, or the pace of calls is waited for, and a stored fact changes."""
    candidate = place.candidate("eve")
    place.reclaim(candidate, by=ann)
    RemovalAttempt.objects.update(
        state=Attempt.GATED, gate_at_approval=[{"guard": "role", "answer": "pass", "roles": []}]
    )
    real = getattr(Connector, wait)

    def slow(connector: Any, *given: Any) -> Any:
        answer = real(connector, *given)
        exempt(place)
        time.pass_by(seconds=90)
        return answer

    monkeypatch.setattr(Connector, wait, slow)
    place.work()
    assert place.team.called("withdraw") == [] and state_of(candidate) == State.CLOSED_SKIPPED


@pytest.mark.parametrize("days", [7, 60])
@pytest.mark.parametrize("justification", ["low_usage", "restricted_software"])
def test_who_was_restored_at_the_vendor_since_the_proposal_is_left_alone(
    make_place: Any, ann: Any, time: Any, days: int, justification: str
) -> None:
    """Between two listings, so that no seat here knows of it. The one question to the log tells."""
    place = make_place(threshold_days=days, minimum_age_days=0)
    candidate = place.candidate("eve", justification=justification, opened_by=ann)
    place.team.remove_by_hand(EVE)
    place.team.restore_by_hand(EVE)
    time.pass_by(days=9)  # longer than the shorter threshold
    place.refresh()
    place.reclaim(candidate, by=ann)
    if state_of(candidate) != State.AWAITING_REVOCATION:
        go_on(candidate, by=None)
    place.work()
    assert place.team.called("withdraw") == [] and place.team.called("look").count(EVE) == 2
    assert (state_of(candidate), attempt_of(candidate).state) == SKIPPED
    answers = {answer["guard"]: answer["answer"] for answer in attempt_of(candidate).gate_at_call}
    assert answers["came_back"] == "fail" and set(answers.values()) == {"pass", "fail"}


def test_who_was_restored_before_the_proposal_may_be_removed(place: Any, ann: Any, time: Any) -> None:
    place.seat("eve")
    place.team.remove_by_hand(EVE)
    place.team.restore_by_hand(EVE)
    time.pass_by(days=61)
    place.refresh()
    candidate = factories.candidate(seat_of(place).get(), rule=place.rule, reason="idle", status_at_opening="active")
    time.pass_by(days=1)
    place.refresh()
    place.reclaim(candidate, by=ann)
    place.work()
    assert attempt_of(candidate).state == Attempt.REMOVED


@pytest.mark.parametrize("what", ["use is in the log", "an administrator now", "exempt", "old directory", "clock"])
def test_the_first_gate_asks_the_same(place: Any, ann: Any, what: str) -> None:
    spoil = SPOILED_BEFORE_THE_CALL["the clock is wrong" if what == "clock" else what][0]
    candidate = place.candidate("eve")
    spoil(place)
    place.reclaim(candidate, by=ann)
    place.work()
    assert place.team.called("withdraw") == []
    assert attempt_of(candidate).state in (Attempt.APPROVED, Attempt.CANCELED)


@pytest.mark.parametrize(("reason", "status"), [("invited", "invited"), ("suspended", "suspended")])
def test_an_invitation_or_a_suspension_that_is_over_cancels(place: Any, ann: Any, reason: str, status: str) -> None:
    candidate = place.candidate("eve", seat={"status": status}, reason=reason)
    place.reclaim(candidate, by=ann)
    place.team.change(EVE, status="active", account_id="dbid:x")
    place.work()
    assert state_of(candidate) == State.CLOSED_CANCELED and place.team.called("withdraw") == []


def test_a_suspended_account_is_removed_while_it_is_suspended(place: Any, ann: Any) -> None:
    candidate = place.candidate("eve", seat={"status": "suspended"}, reason="suspended")
    place.reclaim(candidate, by=ann)
    place.work()
    assert attempt_of(candidate).state == Attempt.REMOVED


def test_removed_at_the_vendor_meanwhile_completes_it_with_its_saving(place: Any, ann: Any) -> None:
    candidate = place.candidate("eve")
    place.reclaim(candidate, by=ann)
    place.team.remove_by_hand(EVE)
    place.work()
    assert (state_of(candidate), attempt_of(candidate).state) == (State.CLOSED_COMPLETE, Attempt.CLOSED)
    assert place.team.called("withdraw") == []
    assert candidate.savings.get().note == "outside"


def leaver(place: Any, days: int | None) -> Any:
    candidate = place.candidate("eve", reason="leaver", is_leaver=True)
    left = None if days is None else timezone.localdate() - timedelta(days=days)
    factories.match(candidate.subscription, factories.person(left_on=left))
    return candidate


@pytest.mark.parametrize(
    ("days", "state"), [(1, State.AWAITING_REVOCATION), (0, State.AWAITING_REVOCATION), (None, State.CLOSED_SKIPPED)]
)
def test_a_leaver_is_removed_only_when_the_last_day_is_over(place: Any, ann: Any, days: int | None, state: str) -> None:
    candidate = leaver(place, days)
    place.reclaim(candidate, by=ann)
    place.work()
    assert state_of(candidate) == state
    assert (attempt_of(candidate).state == Attempt.REMOVED) == (days == 1)


def test_use_before_the_last_day_does_not_keep_a_leaver_and_use_after_it_is_a_persons(place: Any, ann: Any) -> None:
    candidate = leaver(place, 5)
    place.team.use(EVE, timezone.now() - timedelta(days=5, hours=10))
    place.reclaim(candidate, by=ann)
    place.work()
    assert attempt_of(candidate).state == Attempt.REMOVED


def test_use_after_leaving_needs_a_person(place: Any, ann: Any) -> None:
    candidate = leaver(place, 5)
    place.team.use(EVE, timezone.now() - timedelta(days=1))
    place.reclaim(candidate, by=ann)
    place.work()
    assert state_of(candidate) == State.ATTENTION_REQUIRED and place.team.called("withdraw") == []


def let_notice(candidate: Any, *, state: str = Mail.State.SENT, expired: bool = True) -> None:
    """The question to its user came to this, and its time is over or not."""
    now = timezone.now()
    expires = now - timedelta(hours=1) if expired else now + timedelta(hours=1)
    asked = candidate.notices.filter(kind=Notice.Kind.ASK, token_hash__isnull=False)
    Mail.objects.filter(notice__in=asked).update(state=state)
    assert asked.update(expires_at=expires) == 1


@pytest.mark.parametrize(
    ("notice", "removed"),
    [
        ({}, True),
        ({"expired": False}, False),
        ({"state": Mail.State.FAILED}, False),
        ({"state": Mail.State.QUEUED}, False),
        (None, False),
    ],
)
def test_silence_counts_only_after_a_notice_that_was_sent_and_has_expired(
    make_place: Any, ann: Any, notice: dict[str, Any] | None, removed: bool
) -> None:
    place = make_place(notify_user=True)
    candidate = place.candidate("eve")
    place.reclaim(candidate, by=ann)
    assert state_of(candidate) == State.AWAITING_USER
    if notice is not None:
        let_notice(candidate, **notice)
    go_on(candidate, by=None)
    place.work()
    assert (attempt_of(candidate).state == Attempt.REMOVED) == removed
    assert (place.team.called("withdraw") == [EVE]) == removed


def test_what_waits_for_fresh_facts_goes_on_right_after_the_refresh_that_brings_them(place: Any, ann: Any) -> None:
    candidate = place.candidate("eve")
    place.refresh(timezone.now() - timedelta(hours=25))
    place.reclaim(candidate, by=ann)
    place.work()
    assert state_of(candidate) == State.AWAITING_REVOCATION and candidate.hold == "directory"
    place.refresh()
    place.work()
    assert place.team.called("withdraw") == [], "not before the next refresh has ended, or an hour is over"
    run = factories.run(profile=place.profile, process=find_candidates.FIND, state=JobRun.State.QUEUED)
    execute.run(run.pk, find_candidates.run)
    place.work()
    assert place.team.called("withdraw") == [EVE]


@pytest.mark.parametrize("change", ["another user", "another address"])
def test_the_silence_of_somebody_else_is_no_consent(make_place: Any, ann: Any, change: str) -> None:
    place = make_place(notify_user=True)
    candidate = place.candidate("eve")
    first, second = factories.person(), factories.person()
    match = factories.match(candidate.subscription, first)
    place.reclaim(candidate, by=ann)
    candidate.refresh_from_db()
    let_notice(candidate)
    go_on(candidate, by=None)
    if change == "another user":
        type(match).objects.filter(pk=match.pk).update(person=second)
    else:
        seat_of(place).update(email="new@example.com")
    place.work()
    assert place.team.called("withdraw") == []
    assert state_of(candidate) == (State.CLOSED_SKIPPED if change == "another user" else State.ATTENTION_REQUIRED)


@pytest.mark.parametrize("mail_state", [Mail.State.FAILED, Mail.State.WITHDRAWN])
def test_where_the_only_mail_came_back_a_person_can_ask_again_and_nothing_waits_for_ever(
    make_place: Any, ann: Any, mail_state: str
) -> None:
    place = make_place(notify_user=True)
    candidate = place.candidate("eve")
    batch = place.reclaim(candidate, by=ann)
    let_notice(candidate, state=mail_state)
    go_on(candidate, by=None)
    place.work()
    assert (state_of(candidate), attempt_of(candidate).state) == (State.ATTENTION_REQUIRED, Attempt.NEEDS_HUMAN)
    mail = Mail.objects.get()
    Mail.objects.update(state=Mail.State.FAILED)
    mail.refresh_from_db()
    assert "asked again" in resend.run(mail, ann, timezone.now())
    assert (state_of(candidate), attempt_of(candidate).state) == (State.AWAITING_USER, Attempt.CANCELED)
    assert candidate.batch_id == batch.pk, "what was confirmed and decided for its batch still counts"
    let_notice(candidate)
    go_on(candidate, by=None)
    place.work()
    assert attempt_of(candidate).state == Attempt.REMOVED


def test_mode_automatic_waits_for_late_events_and_fresher_activity(make_place: Any) -> None:
    place = make_place(mode="automatic", approver="group")
    version = RuleVersion.objects.create(
        rule=place.rule, version=1, settings={"legal_hold_checked": True}, at=timezone.now()
    )
    fresh = place.candidate("eve", opened_at=timezone.now() - timedelta(hours=20), rule_version=version)
    batch = place.reclaim(fresh, by=None)
    assert batch.requested_by is None
    assert state_of(fresh) == State.AWAITING_APPROVAL
    go_on(fresh, by=None)
    place.work()
    assert state_of(fresh) == State.AWAITING_REVOCATION and fresh.hold == "settled"
    type(fresh).objects.filter(pk=fresh.pk).update(opened_at=timezone.now() - timedelta(hours=30))
    age(place, activity_refreshed_at=timedelta(hours=6, minutes=1))
    RemovalAttempt.objects.update(not_before=None)
    place.work()
    fresh.refresh_from_db()
    assert fresh.hold == "activity"
    place.refresh()
    RemovalAttempt.objects.update(not_before=None)
    place.work()
    assert attempt_of(fresh).state == Attempt.REMOVED


def test_without_the_legal_hold_tick_nothing_is_called(place: Any, ann: Any) -> None:
    candidate = place.candidate("eve")
    place.reclaim(candidate, by=ann, ticks=batches.Ticks())
    place.work()
    assert state_of(candidate) == State.AWAITING_REVOCATION and candidate.hold == "legal_hold"


def test_a_candidate_without_a_rule_needs_the_confirmed_evidence(place: Any, ann: Any) -> None:
    candidate = place.candidate("eve", rule=None, reason="")
    candidate.opened_by = ann
    candidate.justification = "unlicensed"
    candidate.save()
    place.reclaim(candidate, by=ann, ticks=batches.Ticks(legal_hold=True))
    assert state_of(candidate) == State.AWAITING_APPROVAL
    go_on(candidate, by=ann)
    place.work()
    assert state_of(candidate) == State.AWAITING_REVOCATION and candidate.hold == "reviewed"


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda team: team.change(ADMIN, is_admin=False), "no team administrator"),
        (lambda team: team.change(ADMIN, email_verified=False), "not verified"),
        (lambda team: team.change(ADMIN, status="suspended"), "not an active member"),
        (lambda team: team.members.pop(ADMIN), "not an active member"),
    ],
)
def test_files_go_only_to_an_active_verified_account(make_place: Any, ann: Any, spoil: Any, says: str) -> None:
    place = make_place(undo_days=0)
    candidate = place.candidate("eve")
    spoil(place.team)
    place.reclaim(candidate, by=ann)
    place.work()
    attempt = attempt_of(candidate)
    assert attempt.state == Attempt.NEEDS_HUMAN and says in attempt.error_message
    assert place.team.called("withdraw") == []


def test_an_answer_older_than_five_seconds_is_not_acted_on(place: Any, ann: Any, time: Any, monkeypatch: Any) -> None:
    from reclamation.removal import call  # noqa: PLC0415 - the step under test

    real = call._commit_intent

    def slow(*given: Any) -> None:
        real(*given)
        time.pass_by(seconds=6)

    monkeypatch.setattr(call, "_commit_intent", slow)
    candidate = place.candidate("eve")
    place.reclaim(candidate, by=ann)
    place.work()
    attempt = attempt_of(candidate)
    assert place.team.called("withdraw") == [] and (attempt.state, attempt.called_at) == (Attempt.GATED, None)


def test_the_whole_batch_is_looked_at_in_one_question_and_each_again_before_its_call(place: Any, ann: Any) -> None:
    candidates = [place.candidate(f"m{number}") for number in range(5)]
    place.reclaim(*candidates, by=ann)
    place.work()
    verbs = [call.verb for call in place.team.calls if call.verb in ("look", "recent", "withdraw")]
    assert verbs == ["look"] * 5 + ["recent", "look", "withdraw"] * 5
    assert TICKS.legal_hold


def test_who_becomes_active_between_two_calls_of_one_batch_is_kept(place: Any, ann: Any) -> None:
    first, second = place.candidate("one"), place.candidate("two")
    place.team.before_effect = lambda verb, member: place.team.use("dbmid:two") if member == "dbmid:one" else None
    place.reclaim(first, second, by=ann)
    place.work()
    assert place.team.called("withdraw") == ["dbmid:one"] and state_of(second) == State.CLOSED_CANCELED


def test_an_administrator_is_removed_only_with_the_tick_and_a_second_person(place: Any, ann: Any, bob: Any) -> None:
    """The hand-over: another administrator has connected, and the old one, who still has the role, goes."""
    place.team.add("dbmid:new", is_admin=True, roles=("Team",))
    Credential.objects.filter(alias=place.profile.alias).update(admin_external_id="dbmid:new")
    fields = {"opened_by": ann, "justification": "unlicensed", "was_admin": True, "rule": None, "reason": ""}
    old = place.candidate("old", seat={"is_admin": True, "roles": "Team"}, **fields)
    place.team.change("dbmid:old", is_admin=True, roles=("Team",))
    batch = place.reclaim(old, by=ann, ticks=batches.Ticks(legal_hold=True, evidence=True, admins=True))
    assert batch.state == "quarantined"
    batches.decide(batch.pk, approve=True, by=bob, now=timezone.now())
    old.refresh_from_db()
    go_on(old, by=bob)
    place.work()
    assert attempt_of(old).state == Attempt.REMOVED


def test_an_approver_is_a_second_person(make_place: Any, ann: Any, bob: Any) -> None:
    place = make_place(second_person=True, approver="group")
    candidate = place.candidate("eve")
    place.reclaim(candidate, by=ann)
    Approval.objects.update(answered_by=bob, answer=Approval.Answer.APPROVE, at=timezone.now())
    candidate.refresh_from_db()
    go_on(candidate, by=bob)
    place.work()
    assert attempt_of(candidate).state == Attempt.REMOVED


def test_an_account_that_the_log_does_not_know_does_not_stop_the_others(place: Any, ann: Any) -> None:
    """The vendor refuses the question about a whole batch because of one account."""
    gone, eve = place.candidate("gone"), place.candidate("eve")
    place.team.members.pop("dbmid:gone")
    place.reclaim(gone, eve, by=ann)
    place.work()
    assert state_of(gone) == State.CLOSED_COMPLETE
    assert attempt_of(eve).state == Attempt.REMOVED


def test_who_was_restored_in_the_console_after_the_proposal_is_left_alone(place: Any, ann: Any) -> None:
    candidate = place.candidate("eve")
    place.team.remove_by_hand(EVE)
    place.team.restore_by_hand(EVE)
    place.reclaim(candidate, by=ann)
    place.work()
    assert state_of(candidate) == State.CLOSED_SKIPPED and place.team.called("withdraw") == []


def test_whose_user_left_after_the_proposal_is_decided_by_an_approver_and_not_held_for_ever(
    make_place: Any, ann: Any, bob: Any
) -> None:
    place = make_place(notify_user=True, approver="group")
    candidate = place.candidate("eve")
    factories.match(candidate.subscription, factories.person(left_on=timezone.localdate() - timedelta(days=2)))
    place.reclaim(candidate, by=ann)
    assert state_of(candidate) == State.AWAITING_APPROVAL
    approve.decide(candidate.approvals.get(), "approve", note="", by=bob, now=timezone.now())
    place.work()
    assert attempt_of(candidate).state == Attempt.REMOVED
