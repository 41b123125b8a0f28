"""The Dropbox connector against the stand-in Dropbox."""

from __future__ import annotations

import copy
import datetime as dt
import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from profiles import connectors
from profiles.connectors import base
from profiles.connectors.dropbox import devices, events, members
from profiles.connectors.dropbox.sandbox import Fault, Sandbox
from profiles.connectors.dropbox.sandbox.team import status_of
from tests.connectors.contract import ConnectorContract, RemovalContract
from tests.connectors.doubles import World, plugged, sample

LIST = "team/members/list_v2"
CONTINUE = "team/members/list/continue_v2"
INFO = "team/get_info"
BOUND = dt.datetime(2026, 7, 21, tzinfo=dt.UTC)
ADMIN = "team/token/get_authenticated_admin"


def refused(status: int, tag: str, **more: Any) -> Fault:
    return Fault(status=status, body={"error_summary": f"{tag}/..", "error": {".tag": tag}, **more})


def member(**profile: Any) -> dict[str, Any]:
    made = copy.deepcopy(sample("team_members_list_v2")["members"][0])
    made["profile"].update(profile)
    return made


def listing(*found: Any, cursor: str = "c", more: bool = False) -> bytes:
    return json.dumps({"members": found, "cursor": cursor, "has_more": more}).encode()


def only_seat(**profile: Any) -> base.Seat:
    page = members.page(listing(member(**profile)))
    assert not page.set_aside
    return page.items[0]


@pytest.fixture
def world() -> Iterator[World]:
    with plugged(Sandbox()) as made:
        yield made


class TestContract(ConnectorContract):
    vendor = "dropbox"
    first = LIST
    further = CONTINUE
    expired = refused(401, "expired_access_token")
    revoked = refused(401, "invalid_access_token")
    lost_place = refused(409, "invalid_cursor")

    def page(self, ids: Sequence[str], cursor: str, more: bool) -> Fault:
        return Fault(status=200, body=listing(*[member(team_member_id=i) for i in ids], cursor=cursor, more=more))

    def truth(self, world: World) -> set[str]:
        team = next(iter(world.sandbox.teams.values()))
        return {m["profile"]["team_member_id"] for m in team.members if status_of(m) != "removed"}


class TestRemovalContract(RemovalContract):
    vendor = "dropbox"
    effects = {
        "withdraw": "team/members/remove",
        "restore": "team/members/recover",
        "finish": "team/members/move_former_member_files",
    }
    expired = refused(401, "expired_access_token")

    def somebody(self, world: World) -> str:
        return self.id_of(world.sandbox.console().team.any_member())

    def recipient(self, world: World) -> str:
        return self.id_of(world.sandbox.console().team.admins()[0])

    def use(self, world: World, external_id: str, at: dt.datetime, arrives: dt.datetime) -> None:
        console = world.sandbox.console()
        console.note_use(console.team.find("team_member_id", external_id) or {}, at, arrives=arrives)

    def pass_time(self, world: World, by: dt.timedelta) -> None:
        world.sandbox.clock.move(by)
        world.tokens.token = world.sandbox.grant()[0]

    @staticmethod
    def id_of(found: dict[str, Any]) -> str:
        return str(found["profile"]["team_member_id"])


def test_every_vendor_that_takes_seats_back_keeps_the_contract_of_removals() -> None:
    removing = {key for key, row in connectors.vendors().items() if row.removal is not None}
    assert removing == {test.vendor for test in RemovalContract.__subclasses__()}


def test_the_team_and_its_licenses(world: World) -> None:
    team = world.connector().team()
    assert (team.name, team.licensed, team.provisioned, team.used) == ("Nordwind Trading", 300, 248, 243)


@pytest.mark.parametrize("used", [{}, {"num_used_licenses": 0}, {"num_used_licenses": None}])
def test_a_missing_used_count_is_the_provisioned_one(world: World, used: dict[str, Any]) -> None:
    body = {k: v for k, v in sample("team_get_info").items() if k != "num_used_licenses"} | used
    world.sandbox.faults.add(INFO, 1, Fault(status=200, body=body))
    assert world.connector().team().used == 231


def test_the_admin_who_authorized(world: World) -> None:
    team = next(iter(world.sandbox.teams.values()))
    admin = world.connector().admin()
    assert admin.email == team.admins()[0]["profile"]["email"]
    team.admins()[0]["profile"]["status"] = {".tag": "suspended"}
    with pytest.raises(base.Refused) as caught:
        world.connector().admin()
    assert caught.value.failure.tag == "admin_not_active"


def test_a_page_size_outside_dropboxs_limits_is_brought_inside(world: World) -> None:
    assert len(next(world.connector(page_size=5000).seats()).items) == 248
    assert len(next(world.connector(page_size=0).seats()).items) == 1


@pytest.mark.parametrize(
    ("status", "body", "error", "tag"),
    [
        (401, "missing_scope", base.MissingScope, "missing_scope"),
        (401, "user_suspended", base.Refused, "user_suspended"),
        (401, "route_access_denied", base.Refused, "route_access_denied"),
        (401, "tag_of_tomorrow", base.Refused, "tag_of_tomorrow"),
        (403, "no_permission", base.Refused, "no_permission"),
        (409, "account_id_not_found", base.Refused, "account_id_not_found"),
        (422, "path_root", base.ProtocolError, "path_root"),
    ],
)
def test_refusals_are_named_by_remedy(world: World, status: int, body: str, error: type, tag: str) -> None:
    world.sandbox.faults.add(INFO, None, refused(status, body))
    with pytest.raises(error) as caught:
        world.connector().team()
    assert type(caught.value) is error
    assert caught.value.failure.tag == tag
    assert caught.value.failure.endpoint == "/2/team/get_info"
    assert world.calls(INFO) == 1


def test_a_missing_scope_is_named(world: World) -> None:
    world.tokens.token = world.sandbox.grant(scopes=["team_info.read"])[0]
    assert world.connector().team().name
    with pytest.raises(base.MissingScope) as caught:
        list(world.connector().seats())
    assert caught.value.scope == "members.read"


def test_dropboxs_own_words_are_shown(world: World) -> None:
    world.sandbox.faults.add(INFO, None, Fault(status=403, body=sample("error_403_access.feature")))
    with pytest.raises(base.Refused, match="Your plan does not include this feature"):
        world.connector().team()


def test_a_400_is_told_in_dropboxs_words(world: World) -> None:
    text = 'Error in call to API function "team/get_info": request body: expected null, got value'
    world.sandbox.faults.add(INFO, None, Fault(status=400, body=text))
    with pytest.raises(base.ProtocolError, match="expected null"):
        world.connector().team()


def test_a_400_web_page_is_an_outage(world: World) -> None:
    world.sandbox.faults.add(INFO, 1, Fault(status=400, body="<!DOCTYPE html><html></html>"))
    assert world.connector().team().name
    assert world.calls(INFO) == 2


def test_a_personal_token_is_explained(world: World) -> None:
    grant = world.sandbox.store.issue_grant(app_key="x", team_id="", admin_id="", scopes=("team_info.read",))
    world.tokens.token = world.sandbox.store.issue_access_token(grant)
    with pytest.raises(base.Refused) as caught:
        world.connector().team()
    assert "personal account" in caught.value.remedy


def test_retry_after_in_the_body_counts_where_the_header_is_missing(world: World) -> None:
    world.sandbox.faults.add(INFO, 1, Fault(status=429, body=sample("error_429_rate_limit")))
    with pytest.raises(base.Throttled) as caught:
        world.connector().team()
    assert caught.value.retry_after == 300


def test_the_rate_limit_of_the_stand_in_is_waited_out(world: World) -> None:
    moment = [dt.datetime(2026, 8, 1, tzinfo=dt.UTC)]
    world.sandbox.now = lambda: moment[0]
    world.tokens.token = world.sandbox.grant()[0]
    world.sandbox.rate = (3, 10.0)
    connector = world.connector(page_size=50)

    def wait(seconds: float, reason: str) -> None:
        moment[0] += dt.timedelta(seconds=seconds)

    connector._session._wait = wait
    assert sum(len(page.items) for page in connector.seats()) == 248
    assert connector.counters.throttled_seconds > 0


def test_every_sample_listing_is_read_whole() -> None:
    page = members.page(json.dumps(sample("team_members_list_v2")).encode(), "request-1")
    assert [seat.status for seat in page.items] == ["active", "invited", "suspended", "removed", "active"]
    assert [seat.consumes_license for seat in page.items] == [True, True, True, False, True]
    assert [seat.is_admin for seat in page.items] == [False, False, False, False, True]
    assert (page.set_aside, page.request_id) == ((), "request-1")
    ana, boris, *_ = page.items
    assert ana.assigned_at == dt.datetime(2024, 3, 4, 9, 15, tzinfo=dt.UTC)
    assert (ana.secondary_emails, ana.employee_id, ana.account_id[:5]) == (("ana@example.org",), "emp-000101", "dbid:")
    assert (boris.account_id, boris.email_verified, boris.assigned_at) == ("", False, None)
    assert members.page(json.dumps(sample("team_members_list_continue_v2")).encode()).set_aside == ()


TOLERATED: list[dict[str, Any]] = [
    {"status": {".tag": "on_holiday"}},
    {"membership_type": {".tag": "guest"}},
    {"joined_on": "2024-03-04T09:15:00.123Z"},
    {"joined_on": "2024-03-04T10:15:00+01:00"},
    {"joined_on": None, "account_id": None, "external_id": None, "secondary_emails": None, "name": None},
    {"name": {"given_name": None, "display_name": "n" * 5000}},
    {"account_id": "dbid:" + "x" * 34},
    {"email_verified": None, "is_directory_restricted": None, "something_new": {"deep": [1, {}]}},
    {"email": "a" * 1000 + "@example.com"},
    {"email": ""},
    {"root_folder_id": 12, "groups": None},
]


@pytest.mark.parametrize("change", TOLERATED)
def test_what_is_unknown_or_missing_sets_nobody_aside(change: dict[str, Any]) -> None:
    seat = only_seat(**change)
    assert seat.external_id == member()["profile"]["team_member_id"]
    assert len(seat.email) <= 320
    assert len(seat.display_name) <= 255


def test_an_unknown_status_counts_as_a_license_and_keeps_its_word() -> None:
    seat = only_seat(status={".tag": "on_holiday"})
    assert (seat.status, seat.vendor_status, seat.consumes_license) == ("unknown", "on_holiday", True)


def test_an_unknown_membership_is_its_own_identifier() -> None:
    assert only_seat(membership_type={".tag": "guest" * 100}).identifier == ("guest" * 100)[:100]


def test_limited_members_use_no_license() -> None:
    assert not only_seat(membership_type={".tag": "limited"}).consumes_license


def test_long_role_names_make_an_admin_all_the_same() -> None:
    found = member()
    found["roles"] = [{"role_id": "pid_dbtmr:1", "name": "R" * 400, "description": "d"}]
    seat = members.page(listing(found)).items[0]
    assert (seat.is_admin, len(seat.roles[0])) == (True, 255)


ALL = "Manage everything and access all permissions"
FULL_ADMINS: list[dict[str, Any]] = [
    {"role_id": "pid_dbtmr:1", "name": "Team", "description": ALL},
    {"role_id": "pid_dbtmr:1", "name": "Team admin", "description": "User can do everything"},
    {"role_id": "pid_dbtmr:1", "name": "TEAM  ADMIN", "description": ""},
    {"role_id": "pid_dbtmr:1", "name": "Teamadministrator", "description": ALL.upper() + "."},
    {"role_id": "pid_dbtmr:1", "name": "Everything", "description": f" {ALL} "},
    {".tag": "team_admin"},
]
OTHER_ADMINS: list[dict[str, Any]] = [
    {"role_id": "pid_dbtmr:2", "name": "User management", "description": "Add, remove and manage users and groups"},
    {"role_id": "pid_dbtmr:3", "name": "Team folders", "description": None},
    {"role_id": "pid_dbtmr:4", "name": None, "description": 5},
    {".tag": "user_management_admin", "name": "Support"},
]


@pytest.mark.parametrize(
    ("role", "is_full"), [*((role, True) for role in FULL_ADMINS), *((role, False) for role in OTHER_ADMINS)]
)
def test_the_role_that_may_do_everything_is_known_however_it_is_written(role: dict[str, Any], is_full: bool) -> None:
    found = member()
    found["roles"] = [role]
    page = members.page(listing(found))
    (seat,) = page.items
    assert page.set_aside == () and (seat.is_admin, seat.is_full_admin) == (True, is_full)
    assert ("Team admin" in seat.roles) == is_full


def test_a_member_without_a_display_name_has_the_name_that_is_given() -> None:
    assert only_seat(name={"given_name": "Ada", "surname": "Byron"}).display_name == "Ada Byron"
    assert only_seat(name={"given_name": "Ada", "display_name": "  "}).display_name == "Ada"
    assert only_seat(name={"given_name": "", "surname": " "}).display_name == ""


def test_what_a_database_refuses_is_stripped_of_a_name() -> None:
    seat = only_seat(name={"display_name": "\0Bad\x1b[31m\nName\u202eטוב", "given_name": "A\0nn"})
    assert (seat.display_name, seat.given_name) == ("Bad[31m Name\u202eטוב", "Ann")


@pytest.mark.parametrize("damage", ["\0", "\x1b", "\n", "\t", "\x7f", "\u0085", "\ud800", "\ufffd"])
@pytest.mark.parametrize("form", ["{}12", "1{}2", "12{}"])
def test_an_identity_is_never_repaired_to_that_of_somebody_else(damage: str, form: str) -> None:
    odd = form.format(damage)
    others = [{"email": f"{odd}@example.com", "is_verified": True}, {"email": "ann@example.com", "is_verified": True}]
    mail = f"{odd}@example.com"
    seat = only_seat(external_id=odd, account_id=odd, email=mail, email_verified=True, secondary_emails=others)
    assert (seat.employee_id, seat.account_id, seat.secondary_emails) == ("", "", ("ann@example.com",))
    assert (seat.email, seat.email_verified) == (form.format("\ufffd") + "@example.com", False)


def test_a_long_identity_is_never_shortened_to_that_of_somebody_else() -> None:
    long = "x" * 400
    seat = only_seat(external_id=long, account_id=long, email=long, email_verified=True)
    assert (seat.employee_id, seat.account_id) == ("", "")
    assert (seat.email, seat.email_verified) == ("x" * 319 + "\ufffd", False)


@pytest.mark.parametrize("whole", ["12", " 12 ", "Zoë", "שלום", "", "a b", "ı"])
def test_an_identity_that_is_whole_stays_as_it_is(whole: str) -> None:
    seat = only_seat(external_id=whole, account_id=whole, email=whole, email_verified=True)
    assert (seat.employee_id, seat.account_id, seat.email, seat.email_verified) == (whole, whole, whole, True)


@pytest.mark.parametrize("damage", ["\0", "\n", "\ufffd", "é", " "])
def test_a_team_whose_id_is_damaged_is_no_team(world: World, damage: str) -> None:
    body = sample("team_get_info") | {"team_id": f"dbtid:1{damage}"}
    world.sandbox.faults.add(INFO, None, Fault(status=200, body=body))
    with pytest.raises(base.UnreadableAnswer):
        world.connector().team()


ODD: list[Any] = [
    {"profile": {**member()["profile"], "team_member_id": None}},
    {"profile": {**member()["profile"], "team_member_id": ""}},
    {"profile": {**member()["profile"], "team_member_id": "dbmid:\0"}},
    {"profile": {**member()["profile"], "team_member_id": "x" * 4000}},
    {"profile": {k: v for k, v in member()["profile"].items() if k != "team_member_id"}},
    {"profile": "somebody"},
    {"profile": {**member()["profile"], "email": 7}},
    {"profile": {**member()["profile"], "email": None}},
    {"profile": {**member()["profile"], "status": "active"}},
    {"profile": {**member()["profile"], "joined_on": "yesterday"}},
    {},
    None,
    [],
    "member",
    7,
]


@pytest.mark.parametrize("odd", ODD)
def test_one_odd_record_is_set_aside_and_nobody_else(odd: Any) -> None:
    page = members.page(listing(member(team_member_id="dbmid:one"), odd, member(team_member_id="dbmid:two")))
    assert [seat.external_id for seat in page.items] == ["dbmid:one", "dbmid:two"]
    [aside] = page.set_aside
    assert aside.reason
    assert len(aside.excerpt) <= 500
    assert "\0" not in aside.excerpt + aside.external_id


def mutations(value: Any) -> Iterator[Any]:
    """`value` with each field, at any depth, left out or replaced by something else."""
    for at in list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        for other in (None, 7, "x", [], {}, True, -1.5, "\0", {".tag": "new"}):
            yield {**value, at: other} if isinstance(value, dict) else [*value[:at], other, *value[at + 1 :]]
        if isinstance(value, dict):
            yield {name: field for name, field in value.items() if name != at}
        for inner in mutations(value[at]):
            yield {**value, at: inner} if isinstance(value, dict) else [*value[:at], inner, *value[at + 1 :]]


def test_no_change_of_one_field_costs_anybody_else_the_page() -> None:
    neighbors = [member(team_member_id="dbmid:one"), member(team_member_id="dbmid:two")]
    found = member()
    found["roles"] = [{"role_id": "pid_dbtmr:1", "name": "Team", "description": "d"}]
    tried = 0
    for changed in mutations(found):
        page = members.page(listing(neighbors[0], changed, neighbors[1]))
        assert len(page.items) + len(page.set_aside) == 3
        assert {"dbmid:one", "dbmid:two"} <= {seat.external_id for seat in page.items}
        tried += 1
    assert tried > 300


def test_an_odd_record_still_says_whom_it_is_about() -> None:
    page = members.page(listing(member(email=7)))
    assert page.set_aside[0].external_id == member()["profile"]["team_member_id"]


# as JSON writes them: broken bytes, control characters, blanks, line ends, other scripts, nothing, far too long
DAMAGED = [
    b"\xff",
    b"\\ud800",
    b"\\u0000",
    b"\\n",
    b"\\t",
    b" ",
    b"\\u00a0",
    b"\\ufffd",
    b"\\u200b",
    "ü".encode(),
    b"x" * 200,
]


@pytest.mark.parametrize("damage", DAMAGED)
@pytest.mark.parametrize("where", [b"db%bmid:ID", b"dbmid:ID%b"])
def test_a_damaged_id_says_of_nobody_that_it_is_listed(damage: bytes, where: bytes) -> None:
    body = listing(member(team_member_id="dbmid:one"), member(team_member_id="DAMAGED"))
    page = members.page(body.replace(b"DAMAGED", where % damage))
    assert [seat.external_id for seat in page.items] == ["dbmid:one"]
    assert [record.external_id for record in page.set_aside] == [""]


@pytest.mark.parametrize("end", ["\n", "\0", "\r\n", "ü"])
def test_a_cursor_that_cannot_be_sent_back_unchanged_is_not_taken(end: str) -> None:
    for page in (members.page, lambda body: events.page(body, BOUND), lambda body: devices.page(body, BOUND)):
        whole = {"members": [], "events": [], "devices": [], "has_more": True, "cursor": "c" + end}
        with pytest.raises(ValueError):
            page(json.dumps(whole).encode())


@pytest.mark.parametrize(("broken", "name"), [(b"\\ud800", "Ana Abel"), (b"\xff", "Ana \ufffdAbel")])
def test_broken_text_in_one_name_costs_no_page(broken: bytes, name: str) -> None:
    body = listing(member(team_member_id="dbmid:one"), member()).replace(b"Ana Abel", b"Ana " + broken + b"Abel", 1)
    page = members.page(body)
    assert [page.items[0].display_name, page.items[1].display_name] == [name, "Ana Abel"]


def test_a_listing_that_does_not_say_whether_it_goes_on_is_no_listing(world: World) -> None:
    world.sandbox.faults.add(LIST, None, Fault(status=200, body={"members": [], "cursor": "x"}))
    with pytest.raises(base.ProtocolError):
        list(world.connector().seats())


def test_the_registry_row_says_what_the_seed_says() -> None:
    row = connectors.vendor("dropbox")
    assert (row.profile_type, row.alias_name) == ("DropBox Subscription", "Dropbox")
    reclaim = next(process for process in row.processes if process.key == base.RECLAIM)
    assert {"members.write", "members.delete", "team_info.read"} <= set(reclaim.scopes)
    seed = {"team_info.read", "members.write", "members.delete", "groups.read", "events.read", "team_data.member"}
    assert set(row.scopes()) == seed | {"members.read"}
    assert "members.delete" not in row.scopes(base.SUBSCRIPTIONS)
    assert row.setting_names()["api_url"] == "DROPBOX_API_URL"
