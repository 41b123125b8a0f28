"""The stand-in's removals against Dropbox's own word: its schemas, its official SDK, its documents."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dropbox
import pytest

from profiles.connectors.dropbox.sandbox import Fault, Sandbox
from profiles.connectors.dropbox.sandbox.messages import Delivery
from profiles.connectors.dropbox.sandbox.schedule import EFFECTS, JOBS, READS, Schedule
from profiles.connectors.dropbox.sandbox.team import Member, Team, status_of
from tests.connectors.doubles import World, served
from tests.connectors.test_sandbox import LocalTeam, call, check

REMOVE, RECOVER = "team/members/remove", "team/members/recover"
MOVE = "team/members/move_former_member_files"
REMOVE_JOB, MOVE_JOB = f"{REMOVE}/job_status/get", f"{MOVE}/job_status/check"
ADD, INFO, LIST = "team/members/add_v2", "team/members/get_info_v2", "team/members/list_v2"
LOG, LOG_MORE = "team_log/get_events", "team_log/get_events/continue"
DAY = dt.timedelta(days=1)
START = dt.datetime(2026, 9, 14, 12, 0, tzinfo=dt.UTC)


class Desk:
    """A sandbox whose clock stands still, and what one asks of it."""

    def __init__(self, **how: Any) -> None:
        self.sandbox = Sandbox(now=lambda: START, **how)
        self.team: Team = next(iter(self.sandbox.teams.values()))

    def ask(self, route: str, argument: Any = None, *, status: int = 200, schema: str = "") -> Any:
        answer = call(self.sandbox, route, argument, self.sandbox.grant()[0])
        assert answer.status == status, answer.body
        if schema:
            check(schema, answer.json())
        return answer.json() if answer.body else None

    def refusal(self, route: str, argument: Any) -> str:
        schemas = {REMOVE: "error_409_members_remove", MOVE: "error_409_move_former_member_files"}
        schemas |= {REMOVE_JOB: "error_409_poll", MOVE_JOB: "error_409_poll"}
        body = self.ask(route, argument, status=409, schema=schemas.get(route, "error_409_endpoint"))
        return str(body["error"][".tag"])

    def remove(self, member: Member, to: Member | None = None, **more: Any) -> dict[str, Any]:
        return {"user": user(member), "wipe_data": False, **self._transfer(to), **more}

    def move(self, member: Member, to: Member) -> dict[str, Any]:
        return {"user": user(member), **self._transfer(to)}

    def _transfer(self, to: Member | None) -> dict[str, Any]:
        return {"transfer_dest_id": user(to), "transfer_admin_id": user(self.admin)} if to else {}

    @property
    def admin(self) -> Member:
        return self.team.admins()[0]

    def member(self, nth: int = 0, status: str = "active") -> Member:
        found = [one for one in self.team.members if status_of(one) == status and not one["roles"]]
        return found[nth]

    def pass_time(self, by: dt.timedelta) -> None:
        self.sandbox.clock.move(by)

    def events(self, **only: Any) -> list[Any]:
        page = self.ask(LOG, only, schema="team_log_get_events")
        found = page["events"]
        while page["has_more"]:
            page = self.ask(LOG_MORE, {"cursor": page["cursor"]})
            found += page["events"]
        return list(found)

    def status(self, member: Member) -> dict[str, Any]:
        page = self.ask(LIST, {"include_removed": True}, schema="team_members_list_v2")
        listed = {one["profile"]["team_member_id"]: one for one in page["members"]}
        found: dict[str, Any] = listed[member["profile"]["team_member_id"]]["profile"]["status"]
        return found


def user(member: Member) -> dict[str, str]:
    return {".tag": "team_member_id", "team_member_id": member["profile"]["team_member_id"]}


@pytest.fixture
def desk() -> Desk:
    return Desk()


class TestRemove:
    def test_without_a_transfer_it_is_complete_and_the_license_is_free(self, desk: Desk) -> None:
        member, before = desk.member(), desk.ask("team/get_info")
        assert desk.ask(REMOVE, desk.remove(member), schema="team_members_remove") == {".tag": "complete"}
        after = desk.ask("team/get_info", schema="team_get_info")
        assert before["num_used_licenses"] - after["num_used_licenses"] == 1
        assert before["num_provisioned_users"] - after["num_provisioned_users"] == 1
        assert desk.status(member) == {".tag": "removed", "is_recoverable": True, "is_disconnected": False}

    def test_with_a_transfer_it_is_a_job_that_is_polled(self, desk: Desk) -> None:
        desk.sandbox.work.polls = 2
        launched = desk.ask(REMOVE, desk.remove(desk.member(), desk.admin), schema="team_members_remove")
        job = {"async_job_id": launched["async_job_id"]}
        polls = [desk.ask(REMOVE_JOB, job, schema="team_members_remove_job_status_get")[".tag"] for _ in range(4)]
        assert polls == ["in_progress", "in_progress", "complete", "complete"]
        assert desk.refusal(MOVE_JOB, job) == "invalid_async_job_id", "a job of another kind"
        assert [done.what for done in desk.sandbox.done] == ["remove", "transfer"]

    def test_a_job_that_nobody_asks_about_ends_by_time(self, desk: Desk) -> None:
        desk.sandbox.work.always_jobs = True
        member = desk.member()
        desk.ask(REMOVE, desk.remove(member))
        assert status_of(member) == "active"
        desk.pass_time(desk.sandbox.work.job_takes)
        desk.ask("team/get_info")
        assert status_of(member) == "removed"

    def test_get_info_tells_of_removed_members_or_not(self, desk: Desk) -> None:
        member = desk.member()
        desk.ask(REMOVE, desk.remove(member))
        assert desk.ask(INFO, {"members": [user(member)]})["members_info"][0][".tag"] == "id_not_found"
        desk.sandbox.info_tells_removed = True
        (info,) = desk.ask(INFO, {"members": [user(member)]})["members_info"]
        assert info["profile"]["status"]["is_recoverable"] is True

    @pytest.mark.parametrize(
        ("given", "tag"),
        [
            ({"keep_account": True, "transfer_dest_id": "{admin}"}, "unspecified_transfer_admin_id"),
            (
                {"keep_account": True, "transfer_dest_id": "{admin}", "transfer_admin_id": "{admin}"},
                "cannot_keep_account_and_transfer",
            ),
            ({"keep_account": True, "wipe_data": True}, "cannot_keep_account_and_delete_data"),
            (
                {"keep_account": True, "permanently_delete_files": True},
                "cannot_keep_account_and_permanently_delete",
            ),
            (
                {"permanently_delete_files": True, "transfer_dest_id": "{admin}", "transfer_admin_id": "{admin}"},
                "cannot_permanently_delete_and_transfer",
            ),
            ({"retain_team_shares": True, "wipe_data": True}, "cannot_retain_shares_when_data_wiped"),
            ({"retain_team_shares": True}, "cannot_retain_shares_when_no_account_kept"),
            (
                {"retain_team_shares": True, "keep_account": True},
                "cannot_retain_shares_when_team_external_sharing_off",
            ),
        ],
    )
    def test_what_cannot_be_done_together_is_refused(self, desk: Desk, given: dict[str, Any], tag: str) -> None:
        argument = desk.remove(desk.member()) | given
        argument |= {name: user(desk.admin) for name, value in given.items() if value == "{admin}"}
        assert desk.refusal(REMOVE, argument) == tag and desk.sandbox.done == []

    def test_wipe_data_is_true_unless_somebody_says_otherwise(self, desk: Desk) -> None:
        argument = {"user": user(desk.member()), "keep_account": True}
        assert desk.refusal(REMOVE, argument) == "cannot_keep_account_and_delete_data"

    def test_who_is_not_there_or_not_there_any_more(self, desk: Desk) -> None:
        member = desk.member()
        nobody = {"profile": {"team_member_id": "dbmid:nobody"}}
        assert desk.refusal(REMOVE, desk.remove(nobody)) == "user_not_found"
        desk.ask(REMOVE, desk.remove(member))
        assert desk.refusal(REMOVE, desk.remove(member)) == "user_not_in_team"
        assert len(desk.sandbox.done) == 1

    def test_the_last_admin_stays(self, desk: Desk) -> None:
        first, *others = desk.team.admins()
        for other in others:
            desk.ask(REMOVE, desk.remove(other))
        assert desk.refusal(REMOVE, desk.remove(first)) == "remove_last_admin"

    def test_an_invitation_is_withdrawn_for_good_and_is_no_account_to_keep(self, desk: Desk) -> None:
        invited = desk.member(status="invited")
        assert desk.refusal(REMOVE, desk.remove(invited, keep_account=True)) == "cannot_keep_invited_user_account"
        desk.ask(REMOVE, desk.remove(invited))
        assert desk.status(invited)["is_recoverable"] is False
        assert desk.refusal(RECOVER, {"user": user(invited)}) == "user_unrecoverable"
        assert desk.refusal(MOVE, desk.move(invited, desk.admin)) == "user_data_cannot_be_transferred"

    def test_a_very_long_address_cannot_be_switched_off(self, desk: Desk) -> None:
        member = desk.member()
        member["profile"]["email"] = "a" * 240 + "@x.example"
        assert desk.refusal(REMOVE, desk.remove(member)) == "email_address_too_long_to_be_disabled"

    def test_files_that_were_deleted_or_moved_cannot_be_deleted(self, desk: Desk) -> None:
        deleted, moved = desk.member(0), desk.member(1)
        for_good = {"permanently_delete_files": True}
        desk.ask(REMOVE, desk.remove(deleted, **for_good))
        assert desk.refusal(REMOVE, desk.remove(deleted, **for_good)) == "already_transferred_or_deleted"
        assert desk.refusal(MOVE, desk.move(deleted, desk.admin)) == "user_data_cannot_be_transferred"
        desk.sandbox.work.polls = 0
        desk.ask(REMOVE, desk.remove(moved, desk.admin))
        assert desk.refusal(REMOVE, desk.remove(moved, **for_good)) == "transfer_in_progress"
        desk.pass_time(DAY)
        assert desk.refusal(REMOVE, desk.remove(moved, **for_good)) == "already_transferred"

    @pytest.mark.parametrize(
        ("argument", "reason"),
        [
            ({}, "missing required field 'user'"),
            ({"user": "dbmid:x"}, "expected UserSelectorArg"),
            ({"user": {".tag": "email", "email": "x", "extra": 1}}, "missing field 'email'"),
            ({"user": {".tag": "email", "email": "x"}, "wipe_data": "no"}, "wipe_data: expected boolean"),
            ({"user": {".tag": "email", "email": "x"}, "transfer_dest_id": 7}, "transfer_dest_id: expected"),
            ({"user": {".tag": "email", "email": "x"}, "undo": True}, "unknown field 'undo'"),
        ],
    )
    def test_a_malformed_argument_is_a_400(self, desk: Desk, argument: Any, reason: str) -> None:
        answer = call(desk.sandbox, REMOVE, argument, desk.sandbox.grant()[0])
        assert answer.status == 400 and reason in answer.body.decode()

    def test_a_member_can_be_named_by_address_or_external_id(self, desk: Desk) -> None:
        for key in ("email", "external_id"):
            member = next(
                one for one in desk.team.members[8:] if one["profile"].get(key) and status_of(one) == "active"
            )
            desk.ask(REMOVE, {"user": {".tag": key, key: member["profile"][key]}})
            assert status_of(member) == "removed"


class TestTransfer:
    @pytest.mark.parametrize("route", [REMOVE, MOVE])
    @pytest.mark.parametrize("role", ["dest", "admin"])
    def test_both_ends_have_to_be_there_and_somebody_else(self, desk: Desk, route: str, role: str) -> None:
        member, other = desk.member(0), desk.member(1)
        if route == MOVE:
            desk.ask(REMOVE, desk.remove(member))
        desk.ask(REMOVE, desk.remove(other))
        argument = {"user": user(member), "transfer_dest_id": user(desk.admin), "transfer_admin_id": user(desk.admin)}
        at = f"transfer_{role}_id"
        nobody = {".tag": "email", "email": "nobody@x.example"}
        assert desk.refusal(route, {**argument, at: nobody}) == f"transfer_{role}_user_not_found"
        assert desk.refusal(route, {**argument, at: user(other)}) == f"transfer_{role}_user_not_in_team"
        assert desk.refusal(route, {**argument, at: user(member)}) == f"removed_and_transfer_{role}_should_differ"

    @pytest.mark.parametrize("route", [REMOVE, MOVE])
    def test_the_recipient_is_verified_and_the_admin_is_a_team_admin(self, desk: Desk, route: str) -> None:
        member, recipient, manager = desk.member(0), desk.member(1), desk.team.members[3]
        assert manager["roles"][0]["name"] == "User management"
        if route == MOVE:
            desk.ask(REMOVE, desk.remove(member))
        argument = {"user": user(member), "transfer_dest_id": user(recipient), "transfer_admin_id": user(manager)}
        assert desk.refusal(route, argument) == "transfer_admin_is_not_admin"
        recipient["profile"]["email_verified"] = False
        argument["transfer_admin_id"] = user(desk.admin)
        assert desk.refusal(route, argument) == "recipient_not_verified"

    def test_a_recipient_receives_from_one_at_a_time_and_is_not_removed_meanwhile(self, desk: Desk) -> None:
        first, second, third = desk.member(0), desk.member(1), desk.member(2)
        for one in (first, second):
            desk.ask(REMOVE, desk.remove(one))
        recipient = desk.member(5)
        desk.ask(MOVE, desk.move(first, recipient), schema="team_members_move_former_member_files")
        assert desk.refusal(MOVE, desk.move(second, recipient)) == "transfer_in_progress"
        assert desk.refusal(REMOVE, desk.remove(third, recipient)) == "transfer_in_progress"
        assert desk.refusal(REMOVE, desk.remove(recipient)) == "member_is_transfer_destination"
        assert desk.refusal(MOVE, desk.move(first, desk.admin)) == "user_data_is_being_transferred"
        desk.ask(MOVE, desk.move(second, desk.admin))
        desk.pass_time(desk.sandbox.work.transfer_takes)
        assert desk.refusal(MOVE, desk.move(first, desk.admin)) == "user_data_already_transferred"
        desk.ask(REMOVE, desk.remove(recipient))

    def test_the_files_can_be_moved_once_within_180_days(self, desk: Desk) -> None:
        early, late = desk.member(0), desk.member(1)
        assert desk.refusal(MOVE, desk.move(early, desk.admin)) == "user_not_removed"
        nobody = {"profile": {"team_member_id": "dbmid:nobody"}}
        assert desk.refusal(MOVE, desk.move(nobody, desk.admin)) == "user_not_found"
        for one in (early, late):
            desk.ask(REMOVE, desk.remove(one))
        desk.pass_time(179 * DAY)
        launched = desk.ask(MOVE, desk.move(early, desk.admin))
        job = {"async_job_id": launched["async_job_id"]}
        polls = [desk.ask(MOVE_JOB, job, schema="team_members_move_former_member_files_job_status_check")[".tag"]]
        polls.append(desk.ask(MOVE_JOB, job)[".tag"])
        assert polls == ["in_progress", "complete"]
        desk.pass_time(2 * DAY)
        assert desk.refusal(MOVE, desk.move(late, desk.admin)) == "user_data_cannot_be_transferred"

    @pytest.mark.parametrize("missing", ["user", "transfer_dest_id", "transfer_admin_id"])
    def test_all_three_arguments_of_a_move_are_required(self, desk: Desk, missing: str) -> None:
        argument = desk.move(desk.member(), desk.admin)
        del argument[missing]
        answer = call(desk.sandbox, MOVE, argument, desk.sandbox.grant()[0])
        assert answer.status == 400 and f"missing required field '{missing}'" in answer.body.decode()


class TestRecover:
    @pytest.mark.parametrize("status", ["active", "suspended"])
    def test_within_seven_days_a_member_is_what_it_was(self, desk: Desk, status: str) -> None:
        member = desk.member(status=status)
        before = json.dumps(member)
        desk.ask(REMOVE, desk.remove(member))
        desk.pass_time(7 * DAY - dt.timedelta(seconds=1))
        assert desk.ask(RECOVER, {"user": user(member)}) is None
        assert json.dumps(member) == before
        assert [done.what for done in desk.sandbox.done] == ["remove", "recover"]

    def test_after_seven_days_it_is_over(self, desk: Desk) -> None:
        member = desk.member()
        desk.ask(REMOVE, desk.remove(member))
        desk.pass_time(7 * DAY)
        assert desk.refusal(RECOVER, {"user": user(member)}) == "user_unrecoverable"
        assert desk.status(member)["is_recoverable"] is False

    def test_the_removed_of_before_can_be_restored_for_seven_days_of_the_sandbox(self, desk: Desk) -> None:
        gone = [one for one in desk.team.members if status_of(one) == "removed"]
        able = [one for one in gone if desk.status(one)["is_recoverable"]]
        assert 0 < len(able) < len(gone)
        desk.ask(RECOVER, {"user": user(able[0])})
        assert status_of(able[0]) == "active"
        desk.pass_time(7 * DAY)
        assert desk.refusal(RECOVER, {"user": user(able[1])}) == "user_unrecoverable"
        assert desk.status(able[1])["is_recoverable"] is False

    def test_what_ends_it_sooner(self, desk: Desk) -> None:
        moved, kept, deleted = desk.member(0), desk.member(1), desk.member(2)
        desk.ask(REMOVE, desk.remove(moved))
        desk.ask(MOVE, desk.move(moved, desk.admin))
        desk.ask(REMOVE, desk.remove(kept, keep_account=True))
        desk.ask(REMOVE, desk.remove(deleted, permanently_delete_files=True))
        for one in (moved, kept, deleted):
            assert desk.refusal(RECOVER, {"user": user(one)}) == "user_unrecoverable"
        assert desk.status(kept)["is_disconnected"] is True

    def test_without_a_free_license_nobody_comes_back(self, desk: Desk) -> None:
        member = desk.member()
        desk.ask(REMOVE, desk.remove(member))
        desk.team.licensed = desk.ask("team/get_info")["num_used_licenses"]
        assert desk.refusal(RECOVER, {"user": user(member)}) == "team_license_limit"
        desk.team.licensed += 1
        desk.ask(RECOVER, {"user": user(member)})

    def test_who_is_in_the_team_or_unknown_is_not_restored(self, desk: Desk) -> None:
        assert desk.refusal(RECOVER, {"user": user(desk.member())}) == "user_unrecoverable"
        nobody = {".tag": "team_member_id", "team_member_id": "dbmid:nobody"}
        assert desk.refusal(RECOVER, {"user": nobody}) == "user_not_found"


class TestInvitation:
    def invite(self, desk: Desk, email: str) -> str:
        (result,) = desk.ask(ADD, {"new_members": [{"member_email": email}]})["complete"]
        return str(result[".tag"])

    def test_who_can_still_be_restored_cannot_be_invited_again(self, desk: Desk) -> None:
        member = desk.member()
        email = member["profile"]["email"]
        assert self.invite(desk, email.upper()) == "user_already_on_team"
        desk.ask(REMOVE, desk.remove(member))
        assert self.invite(desk, email) == "user_already_on_team"
        desk.pass_time(7 * DAY)
        assert self.invite(desk, email) == "success"
        assert self.invite(desk, email) == "user_already_on_team"
        page = desk.ask(LIST, {}, schema="team_members_list_v2")
        (again,) = [one for one in page["members"] if one["profile"]["email"] == email]
        assert status_of(again) == "invited" and again["profile"]["team_member_id"] != user(member)["team_member_id"]

    def test_an_invitation_needs_a_license(self, desk: Desk) -> None:
        desk.team.licensed = desk.ask("team/get_info")["num_used_licenses"]
        assert self.invite(desk, "new@nordwind.example") == "team_license_limit"


class TestLog:
    def test_it_shows_a_removal_late_by_whom_and_whom(self, desk: Desk) -> None:
        member = desk.member()
        account = member["profile"]["account_id"]
        desk.ask(REMOVE, desk.remove(member))
        category = {"category": {".tag": "members"}, "time": {"start_time": "2026-09-14T00:00:00Z"}}
        assert not [one for one in desk.events(**category) if one["actor"][".tag"] == "app"]
        desk.pass_time(desk.sandbox.work.log_lag + DAY / 86400)
        (event,) = [one for one in desk.events(**category) if one["actor"][".tag"] == "app"]
        assert event["details"]["new_value"] == {".tag": "removed"} and event["timestamp"] == "2026-09-14T12:00:00Z"
        assert event["context"]["account_id"] == account
        assert event in desk.events(account_id=account), "the account is found as context"

    @pytest.mark.parametrize("how", ["at once", "afterwards"])
    def test_it_shows_a_transfer_after_it_is_over(self, desk: Desk, how: str) -> None:
        member = desk.member()
        desk.sandbox.work.polls = 0
        if how == "afterwards":
            desk.ask(REMOVE, desk.remove(member))
            desk.ask(MOVE, desk.move(member, desk.admin))
        else:
            desk.ask(REMOVE, desk.remove(member, desk.admin))
        kind = {"event_type": {".tag": "member_transfer_account_contents"}}
        desk.pass_time(desk.sandbox.work.transfer_takes + desk.sandbox.work.log_lag)
        assert desk.events(**kind) == []
        desk.pass_time(DAY / 86400)
        (event,) = desk.events(**kind)
        assert event["timestamp"] == "2026-09-14T12:01:00Z"

    def test_a_cursor_goes_on_with_what_arrives_late(self, desk: Desk) -> None:
        member, admin = desk.member(), desk.sandbox.console()
        admin.note_use(member, START - 5 * DAY, arrives=START + DAY / 24)
        only = {"account_id": member["profile"]["account_id"], "time": {"start_time": "2026-09-01T00:00:00Z"}}
        page = desk.ask(LOG, only)
        assert not page["has_more"]
        early = {event["timestamp"] for event in page["events"]}
        desk.pass_time(DAY / 12)
        later = desk.ask(LOG_MORE, {"cursor": page["cursor"]})
        assert "2026-09-09T12:00:00Z" in {event["timestamp"] for event in later["events"]} - early
        again = desk.ask(LOG_MORE, {"cursor": later["cursor"]})
        assert "2026-09-09T12:00:00Z" not in {event["timestamp"] for event in again["events"]}

    def test_a_removed_member_has_a_past_and_does_nothing_more(self, desk: Desk) -> None:
        busy = max(desk.team.members[:8], key=lambda one: len(desk.events(account_id=one["profile"]["account_id"])))
        account = {"account_id": busy["profile"]["account_id"]}
        before = desk.events(**account, time={"end_time": "2026-09-14T11:00:00Z"})
        assert len(before) > 5
        if busy in desk.team.admins():
            desk.sandbox.console().remove(busy)
        else:
            desk.ask(REMOVE, desk.remove(busy))
        assert desk.events(**account, time={"end_time": "2026-09-14T11:00:00Z"}) == before
        desk.pass_time(6 * DAY)
        own = "team_member_id", busy["profile"]["team_member_id"]
        since = {"start_time": "2026-09-14T12:00:00Z"}
        after = [one for one in desk.events(**account, time=since) if own in one["actor"].get("user", {}).items()]
        assert after == []
        desk.sandbox.console().restore(busy)
        desk.pass_time(9 * DAY)
        assert [one for one in desk.events(**account, time=since) if own in one["actor"].get("user", {}).items()]


def test_a_removal_between_two_pages_hides_nobody(desk: Desk) -> None:
    page = desk.ask(LIST, {"limit": 100})
    for member in [one for one in page["members"] if not one["roles"]][:10]:
        desk.ask(REMOVE, desk.remove(member))
    listed = {one["profile"]["team_member_id"] for one in page["members"]}
    while page["has_more"]:
        page = desk.ask("team/members/list/continue_v2", {"cursor": page["cursor"]})
        listed |= {one["profile"]["team_member_id"] for one in page["members"]}
    assert len(listed) == 248


def test_one_clock_moves_tokens_recovery_and_dates(desk: Desk) -> None:
    token = desk.sandbox.grant()[0]
    desk.pass_time(dt.timedelta(hours=5))
    answer = call(desk.sandbox, "team/get_info", None, token)
    assert answer.json()["error"][".tag"] == "expired_access_token"
    assert answer.headers["Date"] == "Mon, 14 Sep 2026 17:00:00 GMT"


def test_a_restart_finds_the_clock_the_removed_the_invited_and_the_log(tmp_path: Path) -> None:
    state = tmp_path / "state"
    desk = Desk(state_file=state)
    removed, restored, moved = desk.member(0), desk.member(1), desk.member(2)
    for one in (removed, restored, moved):
        desk.ask(REMOVE, desk.remove(one))
    desk.ask(RECOVER, {"user": user(restored)})
    desk.ask(MOVE, desk.move(moved, desk.admin))
    desk.ask(ADD, {"new_members": [{"member_email": "new@nordwind.example"}]})
    desk.pass_time(3 * DAY)
    token = desk.sandbox.grant()[0]
    again = Desk(state_file=state)
    assert again.sandbox.now() == START + 3 * DAY
    assert call(again.sandbox, "team/get_info", None, token).json() == desk.ask("team/get_info")
    assert [again.status(one) for one in (removed, restored, moved)] == [
        desk.status(one) for one in (removed, restored, moved)
    ]
    assert again.events(category={".tag": "members"}) == desk.events(category={".tag": "members"})
    assert again.team.find("email", "new@nordwind.example")
    third = Desk(state_file=state)
    third.ask(RECOVER, {"user": user(third.team.find("email", removed["profile"]["email"]) or {})})


class TestFaults:
    def test_an_effect_may_come_long_after_its_lost_answer(self, desk: Desk) -> None:
        member = desk.member()
        desk.sandbox.faults.add(REMOVE, 1, Fault(status=503, late=dt.timedelta(minutes=25)))
        desk.ask(REMOVE, desk.remove(member), status=503)
        desk.pass_time(dt.timedelta(minutes=24))
        desk.ask("team/get_info")
        assert status_of(member) == "active"
        desk.pass_time(dt.timedelta(minutes=2))
        desk.ask("team/get_info")
        assert status_of(member) == "removed" and len(desk.sandbox.done) == 1

    def test_a_late_effect_on_somebody_who_is_gone_by_then_is_none(self, desk: Desk) -> None:
        member = desk.member()
        desk.sandbox.faults.add(REMOVE, 1, Fault(status=503, late=dt.timedelta(minutes=1)))
        desk.ask(REMOVE, desk.remove(member), status=503)
        desk.ask(REMOVE, desk.remove(member))
        desk.pass_time(DAY)
        desk.ask("team/get_info")
        assert len(desk.sandbox.done) == 1

    def test_what_may_not_be_done_does_not_come_late_either(self, desk: Desk) -> None:
        desk.sandbox.faults.add(REMOVE, 1, Fault(status=503, late=dt.timedelta(minutes=1)))
        answer = call(desk.sandbox, REMOVE, desk.remove(desk.member()), desk.sandbox.grant(scopes=["members.read"])[0])
        assert answer.json()["error"][".tag"] == "missing_scope" and desk.sandbox.work.late == []

    @pytest.mark.parametrize(("fault", "happened"), [({"acts": True}, True), ({"drops": True}, False)])
    def test_a_job_may_fail_before_or_after_it_did_its_work(
        self, desk: Desk, fault: dict[str, bool], happened: bool
    ) -> None:
        desk.sandbox.work.always_jobs = True
        member = desk.member()
        job = {"async_job_id": desk.ask(REMOVE, desk.remove(member))["async_job_id"]}
        failed = {"error_summary": "internal_error/", "error": {".tag": "internal_error"}}
        desk.sandbox.faults.add(REMOVE_JOB, 1, Fault(status=409, body=failed, **fault))  # type: ignore[arg-type]
        assert desk.refusal(REMOVE_JOB, job) == "internal_error"
        desk.pass_time(DAY)
        desk.ask("team/get_info")
        assert (status_of(member) == "removed") == happened

    def test_a_seed_plans_the_same_faults_again(self) -> None:
        def played(seed: int) -> list[str]:
            desk, plan = Desk(), Schedule(seed=seed, percent=60)
            desk.sandbox.faults.arm(plan)
            token = desk.sandbox.grant()[0]
            for nth in range(20):
                call(desk.sandbox, REMOVE, desk.remove(desk.member(nth)), token)
                call(desk.sandbox, INFO, {"members": []}, token)
                call(desk.sandbox, REMOVE_JOB, {"async_job_id": "dbjid:x"}, token)
            return [*plan.armed, *map(str, desk.sandbox.log), *(done.what for done in desk.sandbox.done)]

        assert played(7) == played(7) != played(8)

    def test_every_kind_of_fault_is_reached_and_no_call_is_beyond_it(self) -> None:
        kinds: set[str] = set()
        for seed in range(200):
            plan = Schedule(seed=seed, percent=50)
            for route in (*EFFECTS, *JOBS, *READS):
                for nth in range(1, 4):
                    plan.plan(route, nth)
            kinds |= {armed.partition(": ")[2] for armed in plan.armed}
        everything = {name for faults in Schedule(seed=0).plans.values() for name in faults}
        assert kinds == everything
        assert Schedule(seed=1, percent=100).plan("team/token/get_authenticated_admin", 1) is None
        assert all(Schedule(seed=1, percent=0).plan(REMOVE, nth) is None for nth in range(50))


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with served(Sandbox()) as made:
        yield made


def test_the_official_sdk_removes_restores_and_moves(world: World) -> None:
    LocalTeam.local = world.url
    sdk, team = LocalTeam(world.tokens.token), next(iter(world.sandbox.teams.values()))
    selector = dropbox.team.UserSelectorArg.team_member_id
    member, admin = (selector(one["profile"]["team_member_id"]) for one in (team.any_member(), team.admins()[0]))
    assert sdk.team_members_remove(member, wipe_data=False).is_complete()
    with pytest.raises(dropbox.exceptions.ApiError) as gone:
        sdk.team_members_remove(member, wipe_data=False)
    assert gone.value.error.is_user_not_in_team()
    assert sdk.team_members_recover(member) is None
    launched = sdk.team_members_remove(member, False, admin, admin)
    job = launched.get_async_job_id()
    assert sdk.team_members_remove_job_status_get(job).is_in_progress()
    assert sdk.team_members_remove_job_status_get(job).is_complete()
    with pytest.raises(dropbox.exceptions.ApiError) as moving:
        sdk.team_members_move_former_member_files(member, admin, admin)
    assert moving.value.error.is_user_data_is_being_transferred()
    with pytest.raises(dropbox.exceptions.ApiError) as lost:
        sdk.team_members_recover(member)
    assert lost.value.error.is_user_unrecoverable()
    world.sandbox.clock.move(dt.timedelta(hours=1))
    kind = dropbox.team_log.EventTypeArg.member_transfer_account_contents
    (event,) = sdk.team_log_get_events(event_type=kind).events
    assert event.details.is_member_transfer_account_contents_details()
    changes = sdk.team_log_get_events(event_type=dropbox.team_log.EventTypeArg.member_change_status).events
    assert {one.details.get_member_change_status_details().new_value._tag for one in changes} >= {"removed", "active"}
    new = dropbox.team.MemberAddV2Arg(member_email="sdk@nordwind.example")
    assert sdk.team_members_add_v2([new]).get_complete()[0].is_success()


def test_a_delivery_is_lost_in_the_plug_as_on_a_socket(world: World) -> None:
    """What is plugged in behind `responses` counts as reached, as it is with a socket."""
    from profiles.connectors import base  # noqa: PLC0415
    from tests.connectors.doubles import plugged  # noqa: PLC0415

    with plugged(Sandbox()) as inside:
        inside.sandbox.faults.add("team/get_info", None, Fault(delivery=Delivery(reset=True)))
        with pytest.raises(base.AnswerLost):
            inside.connector(attempts=1).team()
