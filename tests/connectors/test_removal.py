"""Take members back from Dropbox: what each verb sends, and what every answer means for it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from typing import Any

import dropbox.async_
import dropbox.team
import pytest

from profiles.connectors import base
from profiles.connectors.dropbox.removal_tags import REMOVAL_TAGS
from profiles.connectors.dropbox.sandbox import Fault, Sandbox
from profiles.connectors.dropbox.sandbox.messages import Delivery
from profiles.connectors.dropbox.sandbox.team import Member, Team, status_of
from tests.connectors.doubles import World, plugged, sample

REMOVE, RECOVER = "team/members/remove", "team/members/recover"
MOVE = "team/members/move_former_member_files"
POLLS = {"withdraw": f"{REMOVE}/job_status/get", "finish": f"{MOVE}/job_status/check"}
INFO, LIST = "team/members/get_info_v2", "team/members/list_v2"
LOG = "team_log/get_events"
DAY = dt.timedelta(days=1)
Verb = Callable[[base.RemovingConnector, str, str], base.Effect]
VERBS: dict[str, Verb] = {
    REMOVE: lambda connector, member, admin: connector.withdraw(member),
    RECOVER: lambda connector, member, admin: connector.restore(member),
    MOVE: lambda connector, member, admin: connector.finish(member, destination=admin, transfer_admin=admin),
}


@pytest.fixture
def world() -> Iterator[World]:
    with plugged(Sandbox()) as made:
        yield made


@pytest.fixture
def team(world: World) -> Team:
    return next(iter(world.sandbox.teams.values()))


@pytest.fixture
def connector(world: World) -> Any:
    return world.connector()


def id_of(member: Member) -> str:
    return str(member["profile"]["team_member_id"])


@pytest.fixture
def member(team: Team) -> str:
    return id_of(team.any_member())


@pytest.fixture
def admin(team: Team) -> str:
    return id_of(team.admins()[0])


def tagged(tag: str, status: int = 409) -> Fault:
    return Fault(status=status, body={"error_summary": f"{tag}/.", "error": {".tag": tag}})


def sent(world: World, route: str, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The arguments of every call of a route from now on."""
    found: list[Any] = []
    real = world.sandbox.handle

    def handle(request: Any) -> Any:
        if request.path == f"/2/{route}":
            found.append(json.loads(request.body))
        return real(request)

    monkeypatch.setattr(world.sandbox, "handle", handle)
    return found


def wait_for(connector: Any, step: str, effect: base.Effect) -> base.Effect:
    for _ in range(10):
        if effect.state == "done":
            return effect
        effect = connector.ask(step, effect.job)
    raise AssertionError("the job does not end")


class TestWithdraw:
    def test_everything_dangerous_is_said_and_nothing_is_left_to_dropboxs_defaults(
        self, world: World, connector: Any, member: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        told = sent(world, REMOVE, monkeypatch)
        effect = connector.withdraw(member)
        user = {".tag": "team_member_id", "team_member_id": member}
        assert told == [{"user": user, "wipe_data": False, "keep_account": False}]
        assert (effect.state, effect.job, bool(effect.request_id)) == ("done", "", True)

    def test_devices_are_wiped_only_on_demand(
        self, world: World, connector: Any, member: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        told = sent(world, REMOVE, monkeypatch)
        connector.withdraw(member, wipe=True)
        assert told[0]["wipe_data"] is True and "permanently_delete_files" not in told[0]

    def test_with_a_destination_the_files_go_at_once_and_nothing_can_be_undone(
        self, world: World, connector: Any, member: str, admin: str
    ) -> None:
        effect = connector.withdraw(member, destination=admin, transfer_admin=admin)
        assert effect.state == "working" and effect.job
        assert connector.ask("withdraw", effect.job).state == "working"
        assert connector.ask("withdraw", effect.job).state == "done"
        (look,) = connector.look([member])
        assert (look.state, look.undoable) == ("gone", False)

    @pytest.mark.parametrize("half", [{"destination": "dbmid:x"}, {"transfer_admin": "dbmid:x"}])
    def test_half_a_transfer_is_not_sent(self, world: World, connector: Any, member: str, half: dict[str, str]) -> None:
        with pytest.raises(base.Refused, match="both"):
            connector.withdraw(member, **half)
        assert world.calls(REMOVE) == 0

    def test_the_license_is_free_when_the_member_is_removed(self, connector: Any, member: str) -> None:
        before = connector.team()
        connector.withdraw(member)
        after = connector.team()
        assert (before.used - after.used, before.provisioned - after.provisioned) == (1, 1)
        assert member not in {seat.external_id for page in connector.seats() for seat in page.items}


class TestTheAnswerToAnEffect:
    """Every tag, and every way to lose an answer."""

    @pytest.mark.parametrize(
        ("line", "tag"), [(line, tag) for line in REMOVAL_TAGS for tag in line.codes], ids=lambda one: str(one)[:30]
    )
    @pytest.mark.parametrize("route", VERBS)
    def test_a_tag_means_the_same_for_every_verb_and_nothing_was_done(
        self, world: World, connector: Any, member: str, admin: str, route: str, line: Any, tag: str
    ) -> None:
        world.sandbox.faults.add(route, None, tagged(tag))
        with pytest.raises(base.ConnectorError) as caught:
            VERBS[route](connector, member, admin)
        assert type(caught.value) is line.raises and caught.value.failure.tag == tag
        assert caught.value.remedy == line.remedy and world.calls(route) == 1 and not world.waits
        assert not isinstance(caught.value, base.AnswerLost) and world.sandbox.done == []

    def test_no_tag_of_the_specification_is_forgotten(self) -> None:
        known = {tag for line in REMOVAL_TAGS for tag in line.codes}
        errors = ("MembersRemoveError", "MembersRecoverError", "MembersTransferFormerMembersFilesError")
        unions = [getattr(dropbox.team, name) for name in errors] + [dropbox.async_.PollError]
        documented = {tag for union in unions for kind in union.__mro__ for tag in getattr(kind, "_tagmap", {})}
        assert documented - {"other"} == known
        assert len(set(dropbox.team.MembersRemoveError._tagmap)) > 10

    @pytest.mark.parametrize("route", VERBS)
    def test_a_tag_of_tomorrow_is_quoted_and_nothing_was_done(
        self, world: World, connector: Any, member: str, admin: str, route: str
    ) -> None:
        world.sandbox.faults.add(route, None, tagged("tag_of_tomorrow"))
        with pytest.raises(base.Refused, match="tag_of_tomorrow"):
            VERBS[route](connector, member, admin)

    @pytest.mark.parametrize(
        "fault",
        [
            Fault(status=500),
            Fault(status=502, body="<html>Bad gateway</html>", acts=True),
            Fault(status=503, headers={"Retry-After": "1"}),
            Fault(status=599, body={"error_summary": "x/", "error": {".tag": "user_not_found"}}),
            Fault(status=408),
            Fault(status=425),
            Fault(status=302, headers={"Location": "https://elsewhere.example/"}),
            Fault(status=103),
            Fault(status=403, body="<html>Blocked by your company</html>", acts=True),
            Fault(status=400, body="<!DOCTYPE html>"),
            Fault(status=409),
            Fault(status=200, body="<html>welcome</html>", acts=True),
            Fault(status=200, body=b"", acts=True),
            Fault(status=204),
            Fault(delivery=Delivery(reset=True)),
            Fault(delivery=Delivery(truncate=3)),
            Fault(status=503, delivery=Delivery(reset=True)),
        ],
        ids=lambda fault: f"{fault.status}-{str(fault.body)[:12]}-{fault.delivery.reset}",
    )
    @pytest.mark.parametrize("route", VERBS)
    def test_what_may_have_happened_is_an_answer_lost_and_is_sent_once(
        self, world: World, connector: Any, member: str, admin: str, route: str, fault: Fault
    ) -> None:
        world.sandbox.console().remove(world.sandbox.teams[next(iter(world.sandbox.teams))].members[20])
        world.sandbox.faults.add(route, None, fault)
        with pytest.raises(base.AnswerLost) as caught:
            VERBS[route](connector, member, admin)
        assert (world.calls(route), world.waits) == (1, [])
        assert "looked at again" in caught.value.remedy

    @pytest.mark.parametrize("body", [{".tag": "failed"}, {}, {".tag": "async_job_id"}, [], 7, "x", None])
    @pytest.mark.parametrize("route", [REMOVE, MOVE])
    def test_a_launch_nobody_understands_may_have_launched(
        self, world: World, connector: Any, member: str, admin: str, route: str, body: Any
    ) -> None:
        world.sandbox.faults.add(route, None, Fault(status=200, body=json.dumps(body)))
        with pytest.raises(base.AnswerLost):
            VERBS[route](connector, member, admin)

    def test_an_answer_in_the_sdks_short_form_is_understood(self, world: World, connector: Any, member: str) -> None:
        world.sandbox.faults.add(REMOVE, None, Fault(status=200, body='"complete"'))
        assert connector.withdraw(member).state == "done"

    @pytest.mark.parametrize("seconds", ["1", "300"])
    def test_a_429_is_handed_to_the_caller_at_once(
        self, world: World, connector: Any, member: str, seconds: str
    ) -> None:
        """The look before the call is fresh for a few seconds; to wait would make it old."""
        world.sandbox.faults.add(REMOVE, None, Fault(status=429, headers={"Retry-After": seconds}))
        with pytest.raises(base.Throttled) as caught:
            connector.withdraw(member)
        assert caught.value.retry_after == float(seconds)
        assert (world.calls(REMOVE), world.waits, world.sandbox.done) == (1, [], [])

    def test_a_token_that_has_run_out_is_renewed_and_the_effect_comes_once(
        self, world: World, connector: Any, member: str
    ) -> None:
        world.sandbox.faults.add(REMOVE, 1, tagged("expired_access_token", 401))
        assert connector.withdraw(member).state == "done"
        assert (world.calls(REMOVE), len(world.tokens.stale)) == (2, 1)
        assert [done.what for done in world.sandbox.done] == ["remove"]

    def test_a_new_token_that_is_refused_as_well_is_no_lost_answer(
        self, world: World, connector: Any, member: str
    ) -> None:
        world.sandbox.faults.add(REMOVE, None, tagged("expired_access_token", 401))
        with pytest.raises(base.StaleToken):
            connector.withdraw(member)
        assert world.calls(REMOVE) == 2

    @pytest.mark.parametrize("trouble", [base.AnswerLost("reset"), base.TryLater("503"), base.UnreadableAnswer("?")])
    @pytest.mark.parametrize("when", ["before", "after a 401"])
    def test_trouble_with_the_token_is_no_lost_answer(
        self, world: World, connector: Any, member: str, trouble: Exception, when: str
    ) -> None:
        def fail(*given: Any) -> str:
            raise trouble

        if when == "before":
            world.tokens.access_token = fail  # type: ignore[method-assign]
        else:
            world.tokens.renew = fail  # type: ignore[method-assign]
            world.sandbox.faults.add(REMOVE, None, tagged("expired_access_token", 401))
        with pytest.raises(base.TryLater) as caught:
            connector.withdraw(member)
        assert type(caught.value) is base.TryLater and world.sandbox.done == [] and world.waits == []

    def test_a_lost_answer_after_a_renewed_token_is_still_lost(self, world: World, connector: Any, member: str) -> None:
        world.sandbox.faults.add(REMOVE, 1, tagged("expired_access_token", 401))
        world.sandbox.faults.add(REMOVE, 2, Fault(delivery=Delivery(reset=True)))
        with pytest.raises(base.AnswerLost):
            connector.withdraw(member)
        assert world.calls(REMOVE) == 2 and [done.what for done in world.sandbox.done] == ["remove"]

    def test_a_pace_of_our_own_does_not_make_the_look_old(self, world: World, member: str) -> None:
        connector: Any = world.connector(requests_per_minute=6)
        connector.look([member])
        connector.withdraw(member)
        assert world.waits == []
        connector.team()
        assert world.waits and world.waits[0] > 15, "the next call waits for both"


class TestLook:
    @pytest.mark.parametrize("told", [False, True])
    def test_a_removed_member_is_withdrawn_for_seven_days_and_then_gone(
        self, world: World, connector: Any, member: str, told: bool
    ) -> None:
        """Whether get_info_v2 knows removed members is not documented; the listing with include_removed does."""
        world.sandbox.info_tells_removed = told
        assert [look.state for look in connector.look([member])] == ["present"]
        connector.withdraw(member)
        (look,) = connector.look([member])
        assert (look.state, look.undoable, look.seat.status, bool(look.request_id)) == (
            "withdrawn",
            True,
            "removed",
            True,
        )
        world.sandbox.clock.move(6 * DAY)
        world.tokens.token = world.sandbox.grant()[0]
        assert connector.look([member])[0].state == "withdrawn"
        world.sandbox.clock.move(DAY)
        world.tokens.token = world.sandbox.grant()[0]
        (look,) = connector.look([member])
        assert (look.state, look.undoable) == ("gone", False)

    def test_the_order_and_the_doubles_are_the_askers(self, connector: Any, team: Team) -> None:
        ids = [id_of(one) for one in (team.members[4], team.members[2], team.members[4])]
        assert [look.external_id for look in connector.look(ids)] == ids
        assert connector.look([]) == []

    @pytest.mark.parametrize("kind", ["active", "invited", "suspended"])
    def test_whoever_has_a_seat_is_present(self, connector: Any, team: Team, kind: str) -> None:
        ids = [id_of(one) for one in team.members if status_of(one) == kind]
        looks = connector.look(ids)
        assert {look.state for look in looks} == {"present"} and {look.seat.status for look in looks} == {kind}

    def test_nobody_knows_them(self, connector: Any) -> None:
        (look,) = connector.look(["dbmid:nobody"])
        assert (look.state, look.seat, look.undoable) == ("gone", None, None)

    def test_whoever_had_only_been_invited_is_gone_at_once(self, connector: Any, team: Team) -> None:
        invited = next(id_of(one) for one in team.members if status_of(one) == "invited")
        connector.withdraw(invited)
        assert connector.look([invited])[0].state == "gone"

    def test_many_are_asked_for_in_few_calls_and_the_missing_share_one_listing(
        self, world: World, connector: Any, team: Team
    ) -> None:
        ids = [id_of(one) for one in team.members]
        states = [look.state for look in connector.look(ids)]
        assert (len(states), states.count("present")) == (255, 248)
        assert (world.calls(INFO), world.calls(LIST)) == (2, 1)

    def test_no_listing_where_nobody_is_missing(self, world: World, connector: Any, member: str) -> None:
        connector.look([member])
        assert world.calls(LIST) == 0

    @pytest.mark.parametrize(
        "change",
        [
            {"status": {".tag": "on_holiday"}},
            {"status": "active"},
            {"status": None},
            {"email": 7},
            {"membership_type": 5},
            {"joined_on": "yesterday"},
        ],
    )
    def test_what_cannot_be_read_is_unknown_and_never_gone(
        self, world: World, connector: Any, team: Team, change: dict[str, Any]
    ) -> None:
        member = team.any_member()
        odd = {**member, "profile": {**member["profile"], **change}}
        infos = {"members_info": [{".tag": "member_info", **odd}]}
        world.sandbox.faults.add(INFO, None, Fault(status=200, body=infos))
        assert connector.look([id_of(member)])[0].state == "unknown"
        world.sandbox.faults.clear()
        world.sandbox.faults.add(INFO, None, Fault(status=200, body={"members_info": []}))
        listing = {"members": [odd], "cursor": "c", "has_more": False}
        world.sandbox.faults.add(LIST, None, Fault(status=200, body=listing))
        assert connector.look([id_of(member)])[0].state == "unknown"

    @pytest.mark.parametrize("odd", [None, 7, {}, {"profile": {}}, {"profile": {"team_member_id": None}}])
    def test_a_record_of_nobody_may_be_of_anybody(self, world: World, connector: Any, odd: Any) -> None:
        listing = {"members": [sample("team_members_list_v2")["members"][0], odd], "cursor": "c", "has_more": False}
        world.sandbox.faults.add(LIST, None, Fault(status=200, body=listing))
        assert connector.look(["dbmid:nobody"])[0].state == "unknown"

    def test_an_empty_listing_says_nothing_about_anybody(self, world: World, connector: Any) -> None:
        empty = {"members": [], "cursor": "c", "has_more": False}
        world.sandbox.faults.add(LIST, None, Fault(status=200, body=empty))
        with pytest.raises(base.ProtocolError, match="is empty"):
            connector.look(["dbmid:nobody"])

    def test_an_answer_about_somebody_else_is_no_answer(self, world: World, connector: Any, team: Team) -> None:
        member, other = team.members[20], team.members[21]
        infos = {"members_info": [{".tag": "member_info", **other}]}
        world.sandbox.faults.add(INFO, None, Fault(status=200, body=infos))
        (look,) = connector.look([id_of(member)])
        assert (look.external_id, look.state) == (id_of(member), "present")

    @pytest.mark.parametrize("status", [{".tag": "removed"}, {".tag": "removed", "is_recoverable": "soon"}])
    def test_a_removal_that_does_not_say_whether_it_can_be_undone(
        self, world: World, connector: Any, team: Team, status: dict[str, Any]
    ) -> None:
        member = team.members[20]
        member["profile"]["status"] = status
        world.sandbox.info_tells_removed = True
        (look,) = connector.look([id_of(member)])
        assert (look.state, look.undoable) == ("withdrawn", None)


class TestRestore:
    def test_a_removed_member_comes_back_as_it_was(self, connector: Any, team: Team) -> None:
        role_holder = team.members[3]
        before = json.dumps(role_holder)
        connector.withdraw(id_of(role_holder))
        assert connector.restore(id_of(role_holder)).state == "done"
        assert json.dumps(role_holder) == before and connector.look([id_of(role_holder)])[0].state == "present"

    def test_without_a_free_license_the_member_stays_removed(self, connector: Any, team: Team, member: str) -> None:
        connector.withdraw(member)
        team.licensed = connector.team().used
        with pytest.raises(base.Refused, match="no free license") as caught:
            connector.restore(member)
        assert caught.value.failure.tag == "team_license_limit"
        assert connector.look([member])[0].state == "withdrawn"


class TestFinish:
    def test_the_files_move_once_and_the_log_says_so_late(
        self, world: World, connector: Any, team: Team, member: str, admin: str
    ) -> None:
        began = world.sandbox.now()
        connector.withdraw(member)
        effect = connector.finish(member, destination=admin, transfer_admin=admin)
        wait_for(connector, "finish", effect)
        assert connector.finished([member], began) == set(), "the job is complete, the transfer goes on"
        world.sandbox.clock.move(world.sandbox.work.transfer_takes)
        assert connector.finished([member], began) == set(), "it is over, and the log lags"
        world.sandbox.clock.move(world.sandbox.work.log_lag)
        assert connector.finished([member, "dbmid:other"], began) == {member}
        assert connector.finished([member], world.sandbox.now()) == set(), "not since then"
        with pytest.raises(base.Refused) as caught:
            connector.finish(member, destination=admin, transfer_admin=admin)
        assert caught.value.failure.tag == "user_data_already_transferred"
        with pytest.raises(base.Refused) as refused:
            connector.restore(member)
        assert refused.value.failure.tag == "user_unrecoverable"

    def test_who_receives_is_not_who_was_removed(
        self, world: World, connector: Any, team: Team, member: str, admin: str
    ) -> None:
        began = world.sandbox.now()
        effect = connector.withdraw(member, destination=admin, transfer_admin=admin)
        wait_for(connector, "withdraw", effect)
        world.sandbox.clock.move(DAY / 12)
        assert connector.finished([admin, member], began) == {member}
        for recorded in team.past.recorded:
            del recorded.event["context"]
        assert connector.finished([admin, member], began) == set(), "without a context it could be either"

    @pytest.mark.parametrize("named", ["context", "participants"])
    def test_wherever_the_log_names_the_account_it_is_found(
        self, world: World, connector: Any, team: Team, member: str, named: str
    ) -> None:
        when = world.sandbox.now()
        whom = {".tag": "team_member", "team_member_id": member}
        event: dict[str, Any] = {
            "timestamp": when.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "event_type": {".tag": "member_transfer_account_contents", "description": "x"},
            "event_category": {".tag": "members"},
        }
        event |= {"context": whom} if named == "context" else {"participants": [{".tag": "user", "user": whom}]}
        other = {**event, "event_type": {".tag": "member_change_status", "description": "x"}}
        page = {"events": [None, {}, other, event], "cursor": "c", "has_more": False}
        world.sandbox.faults.add(LOG, 1, Fault(status=200, body=page))
        assert connector.finished([member], when) == {member}
        world.sandbox.faults.add(LOG, 1, Fault(status=200, body={**page, "events": [other]}))
        assert connector.finished([member], when) == set()


class TestAsk:
    @pytest.mark.parametrize("step", POLLS)
    @pytest.mark.parametrize("tag", ["invalid_async_job_id", "internal_error"])
    def test_a_job_that_dropbox_lost_has_to_be_looked_at(
        self, world: World, connector: Any, step: str, tag: str
    ) -> None:
        world.sandbox.faults.add(POLLS[step], None, tagged(tag))
        with pytest.raises(base.AnswerLost) as caught:
            connector.ask(step, "dbjid:x")
        assert "Look at the account" in caught.value.remedy and world.calls(POLLS[step]) == 1

    @pytest.mark.parametrize("step", POLLS)
    @pytest.mark.parametrize(
        "fault",
        [
            Fault(status=503),
            Fault(delivery=Delivery(reset=True)),
            Fault(status=200, body="<html>"),
            Fault(status=200, body={".tag": "failed"}),
        ],
        ids=["503", "reset", "page", "failed"],
    )
    def test_a_poll_that_failed_is_asked_again_and_no_lost_answer(
        self, world: World, connector: Any, step: str, fault: Fault
    ) -> None:
        world.sandbox.faults.add(POLLS[step], None, fault)
        with pytest.raises(base.TryLater) as caught:
            connector.ask(step, "dbjid:x")
        assert not isinstance(caught.value, base.AnswerLost) and world.calls(POLLS[step]) == 4

    @pytest.mark.parametrize("polls", [0, 1, 3])
    def test_a_job_is_polled_to_its_end(self, world: World, connector: Any, member: str, polls: int) -> None:
        world.sandbox.work.polls, world.sandbox.work.always_jobs = polls, True
        effect = connector.withdraw(member)
        assert (effect.state == "done") == (polls == 0)
        assert wait_for(connector, "withdraw", effect).job == ""
        assert len(world.sandbox.done) == 1


class TestRecent:
    def seat(self, connector: Any, member: Member) -> base.Seat:
        found: base.Seat = connector.look([id_of(member)])[0].seat
        return found

    def test_it_counts_as_the_nightly_reading_counts(self, world: World, connector: Any, team: Team) -> None:
        since = world.sandbox.now() - 60 * DAY
        everything = base.Uses()
        for page in connector.activity(since):
            page.fold(everything)
        known = {(use.external_id, use.day): use for use in everything.rows() if use.external_id}
        seats = [self.seat(connector, one) for one in team.members[:30] if status_of(one) == "active"]
        ids = {seat.external_id for seat in seats}
        found = {(use.external_id, use.day): use for use in connector.recent(seats, since).rows()}
        assert found == {key: use for key, use in known.items() if key[0] in ids}
        assert len({external_id for external_id, _ in found}) > 15

    def test_a_fact_that_arrives_late_is_seen_once_it_is_there(self, world: World, connector: Any, team: Team) -> None:
        member, now = team.members[20], world.sandbox.now()
        world.sandbox.console().note_use(member, now - 9 * DAY, arrives=now + DAY / 12)
        seat, since = self.seat(connector, member), now - 10 * DAY
        before = connector.recent([seat], since)
        world.sandbox.clock.move(DAY / 10)
        after = connector.recent([seat], since)
        day = (now - 9 * DAY).date()
        assert after.events_by_day()[day] - before.events_by_day().get(day, 0) == 1

    def test_what_others_did_to_an_account_is_not_its_use(self, world: World, connector: Any, team: Team) -> None:
        """Dropbox's filter finds an account as participant, too: whoever shares with it is the one who uses."""
        idle = next(one for one in team.members[20:] if status_of(one) == "active" and not self.used(connector, one))
        busy = next(one for one in team.members[20:] if status_of(one) == "active" and self.used(connector, one))
        now = world.sandbox.now()
        before = connector.recent([self.seat(connector, idle)], now - DAY).events_by_day()
        world.sandbox.console().note_use(busy, now - DAY / 100)
        world.sandbox.console().team.past.recorded[-1].event["participants"] = [
            {".tag": "user", "user": {".tag": "team_member", "account_id": idle["profile"]["account_id"]}}
        ]
        uses = connector.recent([self.seat(connector, idle)], now - DAY)
        assert uses.events_by_day() == before

    def busiest(self, connector: Any, team: Team) -> Member:
        since = dt.datetime.now(dt.UTC) - 20 * DAY
        return max(team.members[:8], key=lambda one: len(connector.recent([self.seat(connector, one)], since)))

    def used(self, connector: Any, member: Member) -> bool:
        seat = self.seat(connector, member)
        return len(connector.recent([seat], dt.datetime.now(dt.UTC) - 5 * DAY)) > 0

    @pytest.mark.parametrize(
        "actor",
        [
            {".tag": "user", "user": {".tag": "team_member", "team_member_id": "{id}"}},
            {".tag": "user", "user": {".tag": "team_member", "account_id": "{account}"}},
            {".tag": "admin", "admin": {".tag": "team_member", "account_id": "{account}", "email": "old@x.example"}},
            {".tag": "user", "user": {".tag": "team_member", "email": "{EMAIL}"}},
            {".tag": "user", "user": {".tag": "team_member", "email": "second@x.example"}},
            {
                ".tag": "user",
                "user": {".tag": "team_member", "team_member_id": "dbmid:former", "account_id": "{account}"},
            },
        ],
    )
    def test_the_account_is_known_under_every_name(
        self, world: World, connector: Any, team: Team, actor: dict[str, Any]
    ) -> None:
        member = team.members[20]
        member["profile"]["secondary_emails"] = [{"email": "Second@x.example", "is_verified": True}]
        profile = member["profile"]
        names = {"{id}": id_of(member), "{account}": profile["account_id"], "{EMAIL}": profile["email"].upper()}
        (kind,) = set(actor) - {".tag"}
        who = {name: names.get(value, value) for name, value in actor[kind].items()}
        when = (world.sandbox.now() - DAY).strftime("%Y-%m-%dT%H:%M:%SZ")
        event = {
            "timestamp": when,
            "event_category": {".tag": "file_operations"},
            "event_type": {".tag": "file_edit", "description": "x"},
            "actor": {".tag": actor[".tag"], kind: who},
        }
        page = {"events": [event], "cursor": "c", "has_more": False}
        world.sandbox.faults.add(LOG, None, Fault(status=200, body=page))
        (use,) = connector.recent([self.seat(connector, member)], world.sandbox.now() - 2 * DAY).rows()
        assert (use.external_id, use.events, use.kind) == (id_of(member), 1, "file_edit")

    def test_all_pages_of_an_account_are_read(
        self, world: World, connector: Any, team: Team, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seat, since = self.seat(connector, self.busiest(connector, team)), world.sandbox.now() - 60 * DAY
        whole = sum(connector.recent([seat], since).events_by_day().values())
        monkeypatch.setattr("profiles.connectors.dropbox.recent.A_PAGE", 7)
        calls = world.calls(f"{LOG}/continue")
        assert sum(connector.recent([seat], since).events_by_day().values()) == whole
        assert world.calls(f"{LOG}/continue") - calls > 2

    def test_a_cursor_that_gets_lost_begins_the_account_again(
        self, world: World, connector: Any, team: Team, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seat, since = self.seat(connector, self.busiest(connector, team)), world.sandbox.now() - 60 * DAY
        whole = sum(connector.recent([seat], since).events_by_day().values())
        monkeypatch.setattr("profiles.connectors.dropbox.recent.A_PAGE", 7)
        world.sandbox.faults.add(f"{LOG}/continue", 2, tagged("bad_cursor"))
        assert sum(connector.recent([seat], since).events_by_day().values()) == whole
        world.sandbox.faults.add(f"{LOG}/continue", None, tagged("reset"))
        with pytest.raises(base.ListingReset):
            connector.recent([seat], since)

    def test_who_has_no_account_yet_is_left_to_the_look(self, world: World, connector: Any, team: Team) -> None:
        invited = next(one for one in team.members if status_of(one) == "invited")
        seat = self.seat(connector, invited)
        assert len(connector.recent([seat], world.sandbox.now() - DAY)) == 0 and world.calls(LOG) == 0

    @pytest.mark.parametrize(
        "fault", [tagged("account_id_not_found"), Fault(status=503), tagged("missing_scope", 401)], ids=str
    )
    def test_without_an_answer_there_is_none(self, world: World, connector: Any, team: Team, fault: Fault) -> None:
        seat = self.seat(connector, team.members[20])
        world.sandbox.faults.add(LOG, None, fault)
        with pytest.raises(base.ConnectorError):
            connector.recent([seat], world.sandbox.now() - DAY)

    def test_an_event_that_cannot_be_read_is_counted(self, world: World, connector: Any, team: Team) -> None:
        page = {"events": [{"timestamp": "soon"}], "cursor": "c", "has_more": False}
        world.sandbox.faults.add(LOG, None, Fault(status=200, body=page))
        seat = self.seat(connector, team.members[20])
        assert connector.recent([seat], world.sandbox.now() - DAY).counters["set_aside"] == 1


def test_the_registry_says_how_dropbox_takes_seats_back(world: World) -> None:
    from profiles import connectors  # noqa: PLC0415

    removal = connectors.vendor("dropbox").removal
    assert removal is not None
    assert (removal.frees_at, removal.undo_days, removal.default_undo_days) == ("withdraw", 7, 7)
    assert removal.needs_destination and all(sentence.endswith(".") for sentence in removal.warnings)
    reclaim = next(one for one in connectors.vendor("dropbox").processes if one.key == base.RECLAIM)
    assert {"members.delete", "members.write", "members.read"} <= set(reclaim.scopes)


@pytest.mark.parametrize("scope", ["members.delete", "members.write", "members.read"])
def test_a_scope_that_a_removal_needs_is_missed_when_the_connection_is_tried(world: World, scope: str) -> None:
    scopes = {"members.delete", "members.write", "members.read", "team_info.read"} - {scope}
    world.tokens.token = world.sandbox.grant(scopes=scopes)[0]
    with pytest.raises(base.MissingScope) as caught:
        world.connector().probe(base.RECLAIM)
    assert caught.value.scope == scope
