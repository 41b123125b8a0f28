"""What forbids to propose a seat holds for a seat that is proposed already: every refresh looks again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from profiles.connectors.dropbox.sandbox import log
from profiles.jobs import queue
from profiles.models import Credential, JobRun
from reclamation import guards, propose, reexamine
from reclamation.asking import standing
from reclamation.models import RemovalCandidate
from reclamation.states import State
from samsaas.models import AuditEntry
from subscriptions.models import LastActivity, Subscription, UserExclusion
from tests import factories, pages, worlds

pytestmark = pytest.mark.django_db
KEEPS = "The account keeps its subscription"


@pytest.fixture
def manager(signed_in: Any) -> Any:
    return signed_in("sam_admin")


def open_candidate(client: Any, seat: Subscription, **fields: str) -> RemovalCandidate:
    """As somebody does it on the page of the seat."""
    client.post(f"/subscriptions/{seat.pk}/propose/", {"justification": "low_usage", **fields})
    return RemovalCandidate.objects.open().get(subscription=seat)


def look_again(profile: Any) -> JobRun:
    run, _ = queue.request(queue.Request(reexamine.REEXAMINE, JobRun.Trigger.CHAIN, profile=profile))
    assert run
    (done,) = worlds.work()
    assert done.state == "succeeded", done.error_message
    return done


def state_of(candidate: RemovalCandidate) -> str:
    candidate.refresh_from_db()
    return candidate.state


class TestDailyRefresh:
    """The whole way: the vendor's answers, the chain of the day, and what the candidate's page says."""

    @pytest.fixture
    def proposed(self, connected: Any, dropbox: Any, manager: Any) -> SimpleNamespace:
        worlds.work_on()
        team = next(iter(dropbox.teams.values()))
        member = team.any_member()
        seat = Subscription.objects.get(external_id=member["profile"]["team_member_id"])
        return SimpleNamespace(team=team, member=member, seat=seat, candidate=open_candidate(manager, seat))

    def refresh(self, profile: Any, client: Any) -> list[JobRun]:
        client.post(f"/integration-profiles/{profile.pk}/download/")
        return worlds.work_on()

    def test_a_candidate_that_nothing_forbids_stays_ready(
        self, connected: Any, dropbox: Any, integrator: Any, proposed: Any
    ) -> None:
        stopped = dropbox.now()
        dropbox.now = lambda: stopped  # nobody uses anything meanwhile
        done = self.refresh(connected, integrator)
        assert done[-2].process == reexamine.REEXAMINE and done[-2].counters["seen"] >= 1
        assert state_of(proposed.candidate) == State.READY

    def test_the_account_is_gone(self, connected: Any, integrator: Any, proposed: Any) -> None:
        proposed.team.members.remove(proposed.member)
        self.refresh(connected, integrator)
        assert state_of(proposed.candidate) == State.CLOSED_SKIPPED
        page = integrator.get(proposed.candidate.get_absolute_url()).content.decode()
        assert KEEPS not in page and guards.SENTENCES[guards.ENDED] in page

    def test_somebody_worked_with_it_meanwhile(
        self, connected: Any, integrator: Any, proposed: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        member_id = proposed.member["profile"]["team_member_id"]
        who = {".tag": "user", "user": {".tag": "team_member", "team_member_id": member_id}}
        event = log.make_event((timezone.now() + timedelta(hours=1)).date(), 1, log.DOINGS[0], who)
        real = log.events
        monkeypatch.setattr(log, "events", lambda *given: [*real(*given), event])
        RemovalCandidate.objects.update(opened_at=timezone.now() - timedelta(days=2))
        self.refresh(connected, integrator)
        assert state_of(proposed.candidate) == State.CLOSED_CANCELED
        change = proposed.candidate.history.last()
        assert change.by is None and change.reason.startswith("Used on ")

    def test_a_rule_excludes_it_now(self, connected: Any, integrator: Any, proposed: Any) -> None:
        UserExclusion.objects.create(pattern=proposed.member["profile"]["email"].lower(), reason="VIP")
        self.refresh(connected, integrator)
        assert state_of(proposed.candidate) == State.CLOSED_SKIPPED

    def test_its_account_authorizes_the_connection_now(self, connected: Any, integrator: Any, proposed: Any) -> None:
        Credential.objects.filter(alias=connected.alias).update(
            admin_external_id=proposed.member["profile"]["team_member_id"]
        )
        self.refresh(connected, integrator)
        assert state_of(proposed.candidate) == State.CLOSED_SKIPPED

    def test_it_is_looked_at_where_user_activity_is_paused_too(
        self, connected: Any, integrator: Any, proposed: Any
    ) -> None:
        connected.scheduled_jobs.filter(process="pull_activity").update(paused=True)
        proposed.team.members.remove(proposed.member)
        done = self.refresh(connected, integrator)
        assert [run.process for run in done][-3:] == ["match_people", reexamine.REEXAMINE, "find_candidates"]
        assert state_of(proposed.candidate) == State.CLOSED_SKIPPED


@pytest.fixture
def world(manager: Any) -> SimpleNamespace:
    """A seat that was used 70 days ago, in a profile whose activity is read until now, and its candidate."""
    now = timezone.now()
    profile = factories.profile(refreshed_at=now, analyze_activity_from=now - timedelta(days=90))
    factories.coverage(profile, now - timedelta(days=91), now)
    seat = factories.subscription(profile=profile, status="active")
    factories.activity(seat, now - timedelta(days=70), kind="file_add")
    return SimpleNamespace(profile=profile, seat=seat, now=now, candidate=open_candidate(manager, seat))


def change_seat(world: Any, **fields: Any) -> None:
    Subscription.objects.filter(pk=world.seat.pk).update(**fields)


def unmanage(world: Any) -> None:
    model = world.seat.identifier.software_model
    model.under_management = False
    model.save()


def authorize(world: Any) -> None:
    factories.credential(alias=world.profile.alias, admin_external_id=world.seat.external_id)


def replace_team(world: Any) -> None:
    world.profile.team_since = world.now + timedelta(seconds=1)
    world.profile.save(update_fields=["team_since"])


def forget_authorizer(world: Any) -> None:
    factories.credential(alias=world.profile.alias, admin_external_id="", authorized_at=world.now)
    change_seat(world, is_admin=True)


FORBIDDEN: dict[str, tuple[Callable[[Any], None], str]] = {
    guards.ENDED: (lambda world: change_seat(world, ended_at=world.now), propose.ENDED),
    guards.EXCLUDED: (lambda world: change_seat(world, excluded=True), propose.EXCLUDED),
    guards.UNMANAGED: (unmanage, propose.UNMANAGED),
    guards.AUTHORIZED: (authorize, propose.AUTHORIZED),
    guards.OTHER_TEAM: (replace_team, propose.OTHER_TEAM),
    guards.AUTHORIZER_UNKNOWN: (forget_authorizer, propose.AUTHORIZER_UNKNOWN),
}


def test_every_guard_has_words_for_both_times_it_is_asked() -> None:
    codes = {guard.code for guard in guards.GUARDS}
    assert codes == set(propose.REFUSALS) == set(guards.SENTENCES) == set(FORBIDDEN)


@pytest.mark.parametrize("code", FORBIDDEN)
def test_what_refuses_a_proposal_is_an_objection_wherever_a_candidate_is_asked_about(world: Any, code: str) -> None:
    FORBIDDEN[code][0](world)
    fresh = RemovalCandidate.objects.get(pk=world.candidate.pk)
    assert standing.objection(fresh, world.now) == guards.SENTENCES[code]


@pytest.mark.parametrize("left_on", [None, 5])
@pytest.mark.parametrize("state", [State.READY, State.AWAITING_APPROVAL, State.AWAITING_REVOCATION])
def test_a_leaver_who_is_rehired_or_stays_longer_is_no_leaver_any_more(
    world: Any, left_on: int | None, state: str
) -> None:
    """Case 17."""
    match = factories.match(world.seat, factories.person(left_on=timezone.localdate() - timedelta(days=2)))
    RemovalCandidate.objects.filter(pk=world.candidate.pk).update(reason="leaver", is_leaver=True, state=state)
    assert look_again(world.profile).counters["skipped"] == 0
    match.person.left_on = timezone.localdate() + timedelta(days=left_on) if left_on else None
    match.person.save()
    assert look_again(world.profile).counters["skipped"] == 1
    assert world.candidate.history.last().reason == reexamine.REHIRED


@pytest.mark.parametrize("code", FORBIDDEN)
def test_what_refuses_a_proposal_closes_an_open_candidate(world: Any, manager: Any, code: str) -> None:
    happens, refusal = FORBIDDEN[code]
    happens(world)
    before = manager.get(world.candidate.get_absolute_url()).content.decode()
    assert guards.SENTENCES[code] in before and KEEPS not in before, "the page is true before the next refresh"

    counters = look_again(world.profile).counters
    assert (counters["seen"], counters["skipped"]) == (1, 1)
    assert state_of(world.candidate) == State.CLOSED_SKIPPED
    change = world.candidate.history.last()
    assert (change.from_state, change.by, change.reason) == (State.READY, None, guards.SENTENCES[code])
    line = AuditEntry.objects.get(verb="moved removal candidate")
    assert line.actor_id is None and line.detail["reason"] == guards.SENTENCES[code]
    assert propose.refusal_reason(world.seat) == refusal
    assert refusal in manager.get(world.seat.get_absolute_url()).content.decode()


def test_a_pending_removal_of_an_account_that_is_gone_is_complete(world: Any) -> None:
    RemovalCandidate.objects.update(state=State.AWAITING_REVOCATION)
    change_seat(world, ended_at=world.now)
    look_again(world.profile)
    assert state_of(world.candidate) == State.CLOSED_COMPLETE


OPENED, MINUTE = timedelta(), timedelta(minutes=1)


@pytest.mark.parametrize(
    ("ago", "state"),
    [
        (OPENED - MINUTE, State.CLOSED_CANCELED),
        (OPENED - timedelta(hours=30), State.CLOSED_CANCELED),
        (OPENED + MINUTE, State.CLOSED_CANCELED),
        (timedelta(days=59), State.CLOSED_CANCELED),
        (timedelta(days=69), State.CLOSED_CANCELED),
        (timedelta(days=70), State.READY),
        (timedelta(days=80), State.READY),
    ],
    ids=("after it", "tomorrow", "just before it", "59 days before", "69 days before", "as known", "earlier"),
)
def test_use_that_the_evidence_does_not_know_cancels(world: Any, ago: timedelta, state: str) -> None:
    """News of before the opening, such as a late event, count where the evidence said that there was no use."""
    at = world.candidate.opened_at - ago
    if ago != timedelta(days=70):
        LastActivity.objects.update(at=at)
    look_again(world.profile)
    assert state_of(world.candidate) == state


@pytest.mark.parametrize("justification", ["unlicensed", "restricted_software"])
def test_use_does_not_cancel_what_a_person_proposed_for_another_reason(
    world: Any, manager: Any, justification: str
) -> None:
    RemovalCandidate.objects.update(justification=justification)
    LastActivity.objects.update(at=timezone.now())
    look_again(world.profile)
    assert state_of(world.candidate) == State.READY


def test_use_after_its_user_left_is_for_a_person_to_weigh(world: Any) -> None:
    gone = factories.person(left_on=timezone.localdate() - timedelta(days=3))
    factories.match(world.seat, gone)
    LastActivity.objects.update(at=timezone.now() + MINUTE)
    look_again(world.profile)
    assert state_of(world.candidate) == State.ATTENTION_REQUIRED
    assert "after its user left the company (file_add)" in world.candidate.attention


@pytest.mark.parametrize(("before", "words"), [("invited", "accepted"), ("suspended", "lifted")])
def test_an_invitation_or_a_suspension_that_is_over_cancels(world: Any, before: str, words: str) -> None:
    RemovalCandidate.objects.update(status_at_opening=before)
    look_again(world.profile)
    assert state_of(world.candidate) == State.CLOSED_CANCELED and words in world.candidate.history.last().reason


CONCERNS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "an admin now": ({"is_admin": True}, {"is_admin": False}, "was given an administrative role"),
    "suspended now": ({"status": "suspended"}, {"status": "active"}, "changed from Active to Suspended"),
    "invited now": ({"status": "invited"}, {"status": "active"}, "changed from Active to Invited"),
    "unknown now": ({"status": "unknown"}, {"status": "active"}, "changed from Active to Unknown"),
}


@pytest.mark.parametrize("concern", CONCERNS)
def test_what_a_person_has_to_weigh_needs_attention_and_is_ready_again_afterwards(
    world: Any, manager: Any, concern: str
) -> None:
    changed, back, words = CONCERNS[concern]
    change_seat(world, **changed)
    assert look_again(world.profile).counters["flagged"] == 1
    assert state_of(world.candidate) == State.ATTENTION_REQUIRED
    page = manager.get(world.candidate.get_absolute_url()).content.decode()
    assert "A person has to look at this" in page and words in page
    assert look_again(world.profile).counters["flagged"] == 0, "it is said once"
    change_seat(world, **back)
    assert look_again(world.profile).counters["cleared"] == 1
    assert state_of(world.candidate) == State.READY and world.candidate.attention == ""
    assert [change.to_state for change in world.candidate.history.all()] == [
        State.READY,
        State.ATTENTION_REQUIRED,
        State.READY,
    ]


@pytest.mark.parametrize("state", [State.AWAITING_USER, State.AWAITING_APPROVAL, State.AWAITING_REVOCATION])
@pytest.mark.parametrize("concern", CONCERNS)
def test_it_needs_attention_however_far_it_has_come(world: Any, concern: str, state: State) -> None:
    changed, _, words = CONCERNS[concern]
    RemovalCandidate.objects.update(state=state)
    change_seat(world, **changed)
    look_again(world.profile)
    assert state_of(world.candidate) == State.ATTENTION_REQUIRED and words in world.candidate.attention


@pytest.mark.parametrize("state", [State.AWAITING_USER, State.AWAITING_APPROVAL, State.AWAITING_REVOCATION])
def test_a_gap_does_not_take_back_what_somebody_was_asked(world: Any, state: State) -> None:
    RemovalCandidate.objects.update(state=state)
    world.profile.coverage.update(until=world.now - timedelta(days=3))
    look_again(world.profile)
    assert state_of(world.candidate) == state


@pytest.mark.parametrize(
    "state", [State.READY, State.AWAITING_USER, State.AWAITING_APPROVAL, State.AWAITING_REVOCATION]
)
def test_an_account_in_use_is_not_removed_because_it_was_matched_to_somebody_who_left(world: Any, state: State) -> None:
    RemovalCandidate.objects.update(state=state)
    factories.match(world.seat, factories.person(left_on=timezone.localdate() - timedelta(days=3)))
    LastActivity.objects.update(at=timezone.now() + MINUTE)
    look_again(world.profile)
    assert state_of(world.candidate) == State.ATTENTION_REQUIRED


def test_evidence_that_is_not_covered_any_more_needs_attention(world: Any) -> None:
    assert world.candidate.evidence["covered"]
    world.profile.coverage.update(until=world.now - timedelta(days=3))
    look_again(world.profile)
    assert state_of(world.candidate) == State.ATTENTION_REQUIRED
    assert world.candidate.attention == reexamine.NOT_COVERED
    change_seat(world, status="suspended")
    look_again(world.profile)
    assert "to Suspended" in RemovalCandidate.objects.get().attention
    world.profile.coverage.update(until=world.now)
    change_seat(world, status="active")
    look_again(world.profile)
    assert state_of(world.candidate) == State.READY


def test_what_was_not_known_at_the_opening_is_not_held_against_it(world: Any) -> None:
    """Candidates of an earlier version know neither status nor role, and some were opened without coverage."""
    evidence = {**world.candidate.evidence, "covered": False}
    RemovalCandidate.objects.update(status_at_opening="", was_admin=None, evidence=evidence)
    world.profile.coverage.all().delete()
    change_seat(world, is_admin=True, status="suspended")
    look_again(world.profile)
    assert state_of(world.candidate) == State.READY


def test_attention_that_somebody_else_asked_for_is_left_alone(world: Any) -> None:
    RemovalCandidate.objects.update(state=State.ATTENTION_REQUIRED)
    look_again(world.profile)
    assert state_of(world.candidate) == State.ATTENTION_REQUIRED


def test_closed_candidates_and_those_of_other_profiles_are_not_touched(world: Any) -> None:
    elsewhere = factories.candidate(factories.subscription(ended_at=timezone.now()))
    closed = factories.candidate(factories.subscription(profile=world.profile, excluded=True), state="closed_skipped")
    assert look_again(world.profile).counters["seen"] == 1
    assert state_of(elsewhere) == State.READY and state_of(closed) == State.CLOSED_SKIPPED
    assert not closed.history.exists()


def test_many_candidates_are_looked_at_in_batches_and_with_few_queries(
    world: Any, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    for number in range(40):
        seat = factories.subscription(profile=world.profile, excluded=number % 20 == 0)
        factories.candidate(seat)
    monkeypatch.setattr(reexamine, "BATCH", 10)
    factories.coverage(world.profile, world.now - timedelta(days=300), world.now - timedelta(days=95))
    with django_assert_max_num_queries(90):
        counters = look_again(world.profile).counters
    assert (counters["seen"], counters["skipped"]) == (41, 2)


def test_closing_a_candidate_by_hand_does_not_say_that_a_gone_account_keeps_anything(world: Any, manager: Any) -> None:
    path = f"{world.candidate.get_absolute_url()}skip/"
    assert "keeps the subscription" in pages.text_of(manager.get(path).content.decode())
    change_seat(world, ended_at=world.now)
    page = pages.text_of(manager.get(path).content.decode())
    assert "keeps the subscription" not in page and "no longer has the subscription" in page
