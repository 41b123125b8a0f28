"""What happens without a press: the sweep, regret, savings that go back, a deleted profile, and decisions of people."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from profiles import delete_profile
from profiles.connectors import base
from profiles.models import Credential, JobRun
from reclamation.models import RemovalAttempt, SavingsEntry
from reclamation.removal import decide, move, regret, restore, sweep, switch
from reclamation.states import State
from subscriptions.models import LastActivity, Subscription
from tests.reclamation.removal.place import ADMIN, attempt_of, state_of
from tests.reclamation.removal.stand_in import refused

Attempt = RemovalAttempt.State


@pytest.fixture
def removed(place: Any, ann: Any) -> Any:
    """A candidate whose account is removed and can be restored."""
    candidate = place.candidate("eve")
    place.reclaim(candidate, by=ann)
    place.work()
    assert attempt_of(candidate).state == Attempt.REMOVED
    return candidate


def learn_of_use(candidate: Any, at: Any) -> None:
    LastActivity.objects.filter(subscription=candidate.subscription).update(at=at)


def set_connected(place: Any, is_connected: bool) -> None:
    state = Credential.State.CONNECTED if is_connected else Credential.State.NEEDS_AUTHORIZATION
    Credential.objects.filter(alias=place.profile.alias).update(state=state)


class TestSweep:
    def test_it_has_runs_go_on_with_what_is_due_and_with_nothing_else(
        self, place: Any, removed: Any, time: Any
    ) -> None:
        JobRun.objects.all().delete()
        sweep.run(timezone.now())
        assert not JobRun.objects.filter(process=base.RECLAIM).exists()
        time.pass_by(days=7, minutes=1)
        sweep.run(timezone.now())
        assert JobRun.objects.filter(process=base.RECLAIM, profile=place.profile).count() == 1

    def test_a_call_whose_worker_died_becomes_unknown_and_is_never_sent_again(
        self, place: Any, ann: Any, time: Any
    ) -> None:
        class Death(BaseException):
            pass

        def die(verb: str, member: str) -> None:
            raise Death

        candidate = place.candidate("eve")
        place.reclaim(candidate, by=ann)
        place.team.before_effect = die
        with pytest.raises(Death):
            place.work()
        assert attempt_of(candidate).state == Attempt.CALLING
        place.team.before_effect = lambda *given: None
        JobRun.objects.filter(state=JobRun.State.RUNNING).update(state=JobRun.State.FAILED)
        place.work()
        assert attempt_of(candidate).state == Attempt.CALLING, "its lease is still alive"
        time.pass_by(minutes=6)
        sweep.run(timezone.now())
        place.work()
        assert attempt_of(candidate).state == Attempt.UNKNOWN
        assert len(place.team.called("withdraw")) == 1 and place.team.effects == []

    def test_removals_of_a_disconnected_profile_wait_and_say_why(self, place: Any, ann: Any) -> None:
        candidate = place.candidate("eve")
        place.reclaim(candidate, by=ann)
        Credential.objects.filter(alias=place.profile.alias).update(state="needs_authorization")
        JobRun.objects.all().delete()
        sweep.run(timezone.now())
        candidate.refresh_from_db()
        assert candidate.hold == "connected" and not JobRun.objects.exists()

    def test_only_what_is_due_says_that_it_waits_for_the_connection_and_not_once_it_is_back(
        self, place: Any, ann: Any, removed: Any, time: Any
    ) -> None:
        """What can still be undone waits for nothing, and says nothing of it after the profile is connected again."""
        waiting = place.candidate("liz")
        place.reclaim(waiting, by=ann)
        set_connected(place, False)
        JobRun.objects.all().delete()
        sweep.run(timezone.now())
        for one in (waiting, removed):
            one.refresh_from_db()
        assert (waiting.hold, removed.hold) == ("connected", "")
        time.pass_by(days=7, minutes=1)
        sweep.run(timezone.now())
        removed.refresh_from_db()
        assert removed.hold == "connected", "its files wait"
        set_connected(place, True)
        place.work()
        removed.refresh_from_db()
        assert (removed.hold, attempt_of(removed).state) == ("", Attempt.MOVING)

    @pytest.mark.parametrize("verb", ["look", "recent", "team"])
    @pytest.mark.parametrize("error", [base.TryLater("Status 503."), base.Reconnect("The grant is gone.")], ids=str)
    def test_candidates_say_that_the_vendor_could_not_be_asked_until_it_can(
        self, place: Any, ann: Any, time: Any, verb: str, error: Exception
    ) -> None:
        candidate = place.candidate("eve")
        place.team.arm(verb, error)
        place.reclaim(candidate, by=ann)
        place.work()
        candidate.refresh_from_db()
        assert candidate.hold == "vendor" and str(error) in candidate.hold_text
        time.pass_by(minutes=16)
        set_connected(place, True)
        place.work()
        candidate.refresh_from_db()
        assert (candidate.hold, attempt_of(candidate).state) == ("", Attempt.REMOVED)

    def test_an_outage_puts_the_removals_off_and_loses_none(self, place: Any, ann: Any, time: Any) -> None:
        candidate = place.candidate("eve")
        place.team.arm("look", base.TryLater("Down"))
        place.reclaim(candidate, by=ann)
        run = place.work()
        assert run and run.state == JobRun.State.FAILED and place.team.called("withdraw") == []
        assert attempt_of(candidate).not_before > timezone.now() + timedelta(minutes=10)
        time.pass_by(minutes=16)
        place.work()
        assert attempt_of(candidate).state == Attempt.REMOVED


class TestRegret:
    @pytest.mark.parametrize(
        ("ago", "alarm"),
        [
            (timedelta(hours=1), True),
            (timedelta(days=40), True),
            (timedelta(days=70), False),
            (timedelta(hours=-1), False),
        ],
    )
    def test_use_from_before_the_removal_that_is_learned_after_it_raises_the_alarm(
        self, place: Any, removed: Any, ago: timedelta, alarm: bool
    ) -> None:
        learn_of_use(removed, attempt_of(removed).withdrawn_at - ago)
        assert regret.watch(now=timezone.now()) == alarm
        assert regret.watch(now=timezone.now()) == 0, "once"
        assert regret.open_alarms().exists() == alarm

    def test_two_alarms_in_a_week_press_the_switch_of_the_profile(self, place: Any, ann: Any) -> None:
        candidates = [place.candidate(name) for name in ("one", "two")]
        place.reclaim(*candidates, by=ann)
        place.work()
        learn_of_use(candidates[0], timezone.now() - timedelta(hours=2))
        regret.watch(now=timezone.now())
        assert not switch.paused_because(place.profile)
        learn_of_use(candidates[1], timezone.now() - timedelta(hours=2))
        regret.watch(now=timezone.now())
        assert switch.paused_because(place.profile)

    def test_a_leaver_is_not_regretted(self, place: Any, removed: Any) -> None:
        type(removed).objects.filter(pk=removed.pk).update(is_leaver=True)
        learn_of_use(removed, timezone.now() - timedelta(hours=1))
        assert regret.watch(now=timezone.now()) == 0


class TestSavings:
    def test_what_is_listed_again_after_its_removal_was_over_goes_back_once(self, place: Any, ann: Any) -> None:
        candidate = place.candidate("ivy", seat={"status": "invited"}, reason="invited")
        place.reclaim(candidate, by=ann)
        place.work()
        assert state_of(candidate) == State.CLOSED_COMPLETE
        assert sweep.take_back_savings() == 0
        Subscription.objects.filter(pk=candidate.subscription_id).update(
            ended_at=None, returned_at=timezone.now() + timedelta(days=3)
        )
        assert sweep.take_back_savings() == 1
        assert sweep.take_back_savings() == 0
        assert sum(entry.quantity for entry in SavingsEntry.objects.all()) == 0

    def test_the_price_is_that_of_the_model_and_unknown_without_one(self, place: Any, ann: Any) -> None:
        one = place.candidate("one")
        place.reclaim(one, by=ann)
        place.work()
        assert one.savings.get().amount is None
        type(place.rule.software_model).objects.update(cost_override="180.00", currency="EUR")
        two = place.candidate("two")
        place.reclaim(two, by=ann)
        place.work()
        restore.request(attempt_of(two), by=ann, now=timezone.now())
        place.work()
        found = [(str(entry.amount), entry.currency) for entry in two.savings.order_by("pk")]
        assert found == [("180.0000", "EUR"), ("-180.0000", "EUR")]


class TestDeletingTheProfile:
    @pytest.mark.parametrize("state", ["calling", "job", "unknown", "moving", "restoring"])
    def test_it_is_refused_while_an_outcome_is_not_known(self, place: Any, removed: Any, ann: Any, state: str) -> None:
        RemovalAttempt.objects.update(state=state)
        JobRun.objects.filter(process=base.RECLAIM).delete()
        with pytest.raises(delete_profile.Busy):
            delete_profile.run(place.profile, by=ann)
        assert type(place.profile).objects.filter(pk=place.profile.pk).exists()

    def test_removed_members_are_named_and_their_candidates_complete(
        self, place: Any, removed: Any, signed_in: Any
    ) -> None:
        client = signed_in("admin")
        JobRun.objects.filter(process=base.RECLAIM).delete()
        address, name = f"/integration-profiles/{place.profile.pk}/delete/", place.profile.display_name
        page = client.get(address).content.decode()
        assert removed.seat_name in page and "stay at the vendor" in page
        refused_page = client.post(address, {"display_name": name})
        assert refused_page.status_code == 200 and type(place.profile).objects.filter(pk=place.profile.pk).exists()
        client.post(address, {"display_name": name, "accept": "on"}, follow=True)
        assert not type(place.profile).objects.filter(pk=place.profile.pk).exists()
        assert (state_of(removed), attempt_of(removed).state) == (State.CLOSED_COMPLETE, Attempt.CLOSED)


class TestDecisions:
    def needs_human(self, place: Any, ann: Any, tag: str = "remove_last_admin") -> Any:
        candidate = place.candidate("eve")
        place.team.arm("withdraw", refused(tag))
        place.reclaim(candidate, by=ann)
        place.work()
        attempt = attempt_of(candidate)
        assert (attempt.state, attempt.error_request_id) == (Attempt.NEEDS_HUMAN, "req-1")
        assert state_of(candidate) == State.ATTENTION_REQUIRED
        return candidate

    def look(self, place: Any, candidate: Any, by: Any) -> RemovalAttempt:
        decide.ask_look(attempt_of(candidate), by=by, now=timezone.now())
        place.work()
        return attempt_of(candidate)

    @pytest.mark.parametrize("tag", ["remove_last_admin", "transfer_dest_user_not_found", "a_tag_of_next_year"])
    def test_a_refusal_goes_to_a_person_who_looks_and_lets_it_be_tried_again(
        self, place: Any, ann: Any, tag: str
    ) -> None:
        candidate = self.needs_human(place, ann, tag)
        with pytest.raises(decide.DecisionRefused):
            decide.try_again(attempt_of(candidate), by=ann, now=timezone.now())
        attempt = self.look(place, candidate, ann)
        assert decide.choices(attempt, now=timezone.now()) == ("again",)
        decide.try_again(attempt, by=ann, now=timezone.now())
        place.work()
        assert attempt_of(candidate).state == Attempt.REMOVED

    def test_an_old_look_is_no_ground_for_a_decision(self, place: Any, ann: Any, time: Any) -> None:
        candidate = self.needs_human(place, ann)
        attempt = self.look(place, candidate, ann)
        time.pass_by(minutes=16)
        with pytest.raises(decide.DecisionRefused):
            decide.try_again(attempt, by=ann, now=timezone.now())

    def test_a_removal_that_waits_is_closed_complete_only_where_a_fresh_look_says_gone(
        self, place: Any, ann: Any, signed_in: Any, time: Any
    ) -> None:
        """Row 17: such as a removal that the switch holds, while somebody removes the member at the vendor."""
        candidate = place.candidate("eve")
        place.reclaim(candidate, by=ann)
        switch.pause(place.profile, reason="Wait.", by=ann, now=timezone.now())
        place.work()
        client, address = signed_in("sam_admin"), f"/removals/{attempt_of(candidate).pk}/"
        assert "Close Complete" in client.get(candidate.get_absolute_url()).text
        given = {"choice": "close", "note": "Removed in the console."}
        client.post(f"{address}decide/", given)
        assert state_of(candidate) == State.AWAITING_REVOCATION, "nobody has looked"
        client.post(f"{address}look/")
        place.work()
        assert "The account is still there" in client.get(f"{address}decide/").text
        client.post(f"{address}decide/", given)
        assert state_of(candidate) == State.AWAITING_REVOCATION, "it is still there"
        place.team.remove_by_hand("dbmid:eve")
        client.post(f"{address}look/")
        place.work()
        client.post(f"{address}decide/", given)
        assert (state_of(candidate), attempt_of(candidate).state) == (State.CLOSED_COMPLETE, Attempt.CLOSED)
        assert SavingsEntry.objects.get().kind == "freed" and place.team.called("withdraw") == []

    def test_closed_by_hand_only_when_the_look_says_that_it_is_gone(self, place: Any, ann: Any) -> None:
        candidate = self.needs_human(place, ann)
        with pytest.raises(decide.DecisionRefused):
            decide.close_by_hand(self.look(place, candidate, ann), note="Done", by=ann, now=timezone.now())
        place.team.remove_by_hand("dbmid:eve")
        attempt = self.look(place, candidate, ann)
        decide.close_by_hand(attempt, note="Removed in the console", by=ann, now=timezone.now())
        assert (state_of(candidate), attempt_of(candidate).state) == (State.CLOSED_COMPLETE, Attempt.CLOSED)
        assert candidate.savings.get().note == "by hand" and candidate.notes.get().text == "Removed in the console"

    def test_files_do_not_go_to_a_removal_candidate_and_the_administrator_who_connected_is_offered(
        self, make_place: Any, ann: Any, signed_in: Any, time: Any
    ) -> None:
        """Case 47."""
        place = make_place(destination="named", destination_external_id="dbmid:zoe")
        candidate = place.candidate("eve")
        place.reclaim(candidate, by=ann)
        place.work()
        place.candidate("zoe")
        time.pass_by(days=8)
        place.work()
        attempt = attempt_of(candidate)
        assert (attempt.state, attempt.error_message) == (Attempt.NEEDS_HUMAN, move.CANDIDATE)
        attempt = self.look(place, candidate, ann)
        client, address = signed_in("sam_admin"), f"/removals/{attempt.pk}/decide/"
        assert f'value="{ADMIN}"' in client.get(address).text
        client.post(address, {"choice": "move", "external_id": ADMIN})
        place.work()
        assert place.team.called("finish") == ["dbmid:eve"]
        assert attempt_of(candidate).destination_external_id == ADMIN

    def test_files_that_cannot_go_there_go_to_another_account(
        self, place: Any, removed: Any, ann: Any, time: Any
    ) -> None:
        place.team.add("dbmid:other")
        place.team.change(ADMIN, email_verified=False)
        time.pass_by(days=7, minutes=1)
        place.work()
        assert attempt_of(removed).state == Attempt.NEEDS_HUMAN and place.team.called("finish") == []
        attempt = self.look(place, removed, ann)
        decide.move_to(attempt, "dbmid:other", by=ann, now=timezone.now())
        place.work()
        assert place.team.members["dbmid:eve"].files_at == "dbmid:other"

    def test_a_lost_answer_to_the_transfer_is_never_followed_by_a_second_one(
        self, place: Any, removed: Any, ann: Any, time: Any
    ) -> None:
        place.team.arm("finish", "lost before")
        for _ in range(40):
            time.pass_by(hours=8)
            place.work()
        assert place.team.called("finish") == ["dbmid:eve"]
        assert attempt_of(removed).state == Attempt.NEEDS_HUMAN

    def test_one_transfer_per_account_at_a_time(self, place: Any, ann: Any, time: Any) -> None:
        candidates = [place.candidate(name) for name in ("one", "two", "three")]
        place.reclaim(*candidates, by=ann)
        place.work()
        place.team.job_time = timedelta(minutes=3)
        time.pass_by(days=7, minutes=1)
        place.work()
        assert RemovalAttempt.objects.filter(state=Attempt.MOVING).count() == 1
        assert len(place.team.called("finish")) == 1
        for _ in range(30):
            time.pass_by(minutes=5)
            place.work()
        assert len(place.team.called("finish")) == 3
        assert {state_of(one) for one in candidates} == {State.CLOSED_COMPLETE}

    def test_a_new_administrator_receives_the_files_that_have_not_been_moved(
        self, place: Any, removed: Any, time: Any
    ) -> None:
        place.team.add("dbmid:new", is_admin=True, roles=("Team",))
        Credential.objects.filter(alias=place.profile.alias).update(admin_external_id="dbmid:new")
        time.pass_by(days=7, minutes=1)
        place.work()
        assert place.team.members["dbmid:eve"].files_at == "dbmid:new"

    def test_while_paused_or_of_another_team_files_wait(self, place: Any, removed: Any, time: Any) -> None:
        switch.pause(None, reason="Stop", by=None, now=timezone.now())
        time.pass_by(days=8)
        place.work()
        assert place.team.called("finish") == [] and attempt_of(removed).state == Attempt.REMOVED
