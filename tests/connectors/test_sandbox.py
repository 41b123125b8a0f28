"""The stand-in Dropbox against Dropbox's own word: its schemas and its official SDK."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dropbox
import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from requests.structures import CaseInsensitiveDict

from profiles.connectors.dropbox.sandbox import Request, Response, Sandbox, log
from profiles.connectors.dropbox.sandbox.arguments import MISSING
from profiles.connectors.dropbox.sandbox.routes import ROUTES
from profiles.connectors.dropbox.sandbox.team import LargeTeam, demo_teams, status_of
from tests.connectors.doubles import SCHEMAS, World, served

DOCUMENTS = {path.name: json.loads(path.read_text("utf-8")) for path in SCHEMAS.glob("*.json")}
REGISTRY: Registry[Any] = Registry().with_resources(
    [(document["$id"], Resource.from_contents(document)) for document in DOCUMENTS.values()]
)


def check(schema: str, value: Any) -> None:
    Draft202012Validator(DOCUMENTS[f"{schema}.json"], registry=REGISTRY).validate(value)


def call(sandbox: Sandbox, route: str, body: Any = MISSING, token: str = "", **headers: str) -> Response:
    sent = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"} if token else {}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    text = b"" if body is MISSING else body if isinstance(body, bytes) else json.dumps(body).encode()
    request = Request(method="POST", path=f"/2/{route}", headers=CaseInsensitiveDict({**sent, **named}), body=text)
    return sandbox.handle(request)


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox()


@pytest.fixture
def token(sandbox: Sandbox) -> str:
    return sandbox.grant()[0]


ANSWERS: list[tuple[str, Any, str]] = [
    ("team/get_info", None, "team_get_info"),
    ("team/token/get_authenticated_admin", None, "team_token_get_authenticated_admin"),
    (
        "team/features/get_values",
        {"features": ["has_team_file_events", {".tag": "upload_api_rate_limit"}, "has_team_shared_dropbox", "new_one"]},
        "team_features_get_values",
    ),
    ("team/members/list_v2", {"limit": 1000, "include_removed": True}, "team_members_list_v2"),
    ("team/members/list_v2", {}, "team_members_list_v2"),
    ("team_log/get_events", {}, "team_log_get_events"),
    ("team_log/get_events", {"limit": 7, "time": {"start_time": "2026-10-01T00:00:00Z"}}, "team_log_get_events"),
]


@pytest.mark.parametrize(("route", "argument", "schema"), ANSWERS)
def test_answers_follow_dropboxs_schemas(sandbox: Sandbox, token: str, route: str, argument: Any, schema: str) -> None:
    answer = call(sandbox, route, argument, token)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    check(schema, answer.json())


def test_further_pages_follow_dropboxs_schemas_to_the_last(sandbox: Sandbox, token: str) -> None:
    page = call(sandbox, "team/members/list_v2", {"limit": 100}, token).json()
    found = list(page["members"])
    while page["has_more"]:
        page = call(sandbox, "team/members/list/continue_v2", {"cursor": page["cursor"]}, token).json()
        check("team_members_list_continue_v2", page)
        found += page["members"]
    assert len(found) == 248


def test_every_refusal_follows_dropboxs_schemas(sandbox: Sandbox, token: str) -> None:
    check("error_401_auth", call(sandbox, "team/get_info", None, "nobody").json())
    narrow = sandbox.grant(scopes=["groups.read"])[0]
    refusal = call(sandbox, "team/get_info", None, narrow)
    check("error_401_auth", refusal.json())
    assert (refusal.status, refusal.json()["error"]["required_scope"]) == (401, "team_info.read")
    refusal = call(sandbox, "team/members/list/continue_v2", {"cursor": "nowhere"}, token)
    check("error_409_members_list_continue", refusal.json())
    sandbox.rate = (1, 60.0)
    call(sandbox, "team/get_info", None, token)
    refusal = call(sandbox, "team/get_info", None, token)
    check("error_429_rate_limit", refusal.json())
    assert 1 <= int(refusal.headers["Retry-After"]) <= 60


def test_a_log_is_asked_by_account_or_by_one_kind_of_filter(sandbox: Sandbox, token: str) -> None:
    """`get_events`: category or event_type, never both; an account id has 40 characters and belongs to somebody."""
    logins, login = {".tag": "logins"}, {".tag": "login_success"}
    both = call(sandbox, "team_log/get_events", {"category": logins, "event_type": login}, token)
    check("error_409_get_events", both.json())
    assert both.json()["error"][".tag"] == "invalid_filters"
    nobody = call(sandbox, "team_log/get_events", {"account_id": "dbid:" + "x" * 35}, token)
    assert nobody.json()["error"][".tag"] == "account_id_not_found"
    assert call(sandbox, "team_log/get_events", {"account_id": "dbid:short"}, token).status == 400
    member = next(iter(sandbox.teams.values())).members[0]["profile"]
    page = call(sandbox, "team_log/get_events", {"account_id": member["account_id"], "limit": 3}, token).json()
    further = call(sandbox, "team_log/get_events/continue", {"cursor": page["cursor"]}, token).json()
    found = page["events"] + further["events"]
    assert len(found) > 3 and {e["actor"][e["actor"][".tag"]]["account_id"] for e in found} == {member["account_id"]}
    kinds = call(sandbox, "team_log/get_events", {"category": logins}, token).json()["events"]
    assert kinds and {event["event_category"][".tag"] for event in kinds} == {"logins"}


@pytest.mark.parametrize(
    ("route", "scope"),
    [
        ("team/members/remove/job_status/get", "members.delete"),
        ("team/members/move_former_member_files/job_status/check", "members.write"),
    ],
)
def test_a_job_nobody_started_is_not_known(sandbox: Sandbox, token: str, route: str, scope: str) -> None:
    answer = call(sandbox, route, {"async_job_id": "dbjid:nobody"}, token)
    check("error_409_poll", answer.json())
    assert answer.json()["error"][".tag"] == "invalid_async_job_id"
    assert call(sandbox, route, {"async_job_id": ""}, token).status == 400
    narrow = sandbox.grant(scopes=["team_info.read"])[0]
    assert call(sandbox, route, {"async_job_id": "dbjid:nobody"}, narrow).json()["error"]["required_scope"] == scope


MALFORMED: list[tuple[str, Any, str]] = [
    ("team/get_info", {}, "request body: expected null, got value"),
    ("team/get_info", b"", "could not decode input as JSON"),
    ("team/members/list_v2", None, "expected object, got null"),
    ("team/members/list_v2", {"limit": 0}, "limit: 0 is not within range [1, 1000]"),
    ("team/members/list_v2", {"limit": 1001}, "is not within range"),
    ("team/members/list_v2", {"limit": "10"}, "expected integer, got string"),
    ("team/members/list_v2", {"limit": True}, "expected integer, got boolean"),
    ("team/members/list_v2", {"page": 1}, "unknown field 'page'"),
    ("team/members/list_v2", {"include_removed": 1}, "expected boolean"),
    ("team/members/list/continue_v2", {}, "missing required field 'cursor'"),
    ("team/members/get_info_v2", {"members": [{".tag": "phone", "phone": "1"}]}, "UserSelectorArg"),
]


@pytest.mark.parametrize(("route", "argument", "reason"), MALFORMED)
def test_a_malformed_argument_is_a_400_in_plain_text(
    sandbox: Sandbox, token: str, route: str, argument: Any, reason: str
) -> None:
    answer = call(sandbox, route, argument, token)
    assert (answer.status, answer.headers["Content-Type"][:10]) == (400, "text/plain")
    assert answer.body.decode().startswith(f'Error in call to API function "{route}": ')
    assert reason in answer.body.decode()


@pytest.mark.parametrize(
    "headers",
    [
        {"Content_Type": "text/plain"},
        {"Content_Type": ""},
        {"Authorization": "Basic eDp5"},
        {"Dropbox_API_Select_Admin": "dbmid:x"},
        {"Dropbox_API_Select_User": "dbmid:x"},
    ],
)
def test_a_call_with_the_wrong_headers_is_a_400(sandbox: Sandbox, token: str, headers: dict[str, str]) -> None:
    assert call(sandbox, "team/get_info", None, token, **headers).status == 400


def test_an_unknown_route_and_a_missing_token_are_400(sandbox: Sandbox, token: str) -> None:
    assert call(sandbox, "team/members/list_v3", None, token).status == 400
    assert call(sandbox, "team/get_info", None, Content_Type="application/json").status == 400


def test_every_route_needs_a_token_and_every_team_route_a_scope(sandbox: Sandbox) -> None:
    for name, route in ROUTES.items():
        assert call(sandbox, name, None, "nobody").status == 401
        assert route.scope or route.user


def test_every_answer_names_its_request(sandbox: Sandbox, token: str) -> None:
    answers = [call(sandbox, "team/get_info", body, token) for body in (None, {})]
    assert len({answer.headers["X-Dropbox-Request-Id"] for answer in answers}) == 2


def test_the_dots_of_a_summary_vary(sandbox: Sandbox) -> None:
    summaries = {call(sandbox, "team/get_info", None, "nobody").json()["error_summary"] for _ in range(4)}
    assert len(summaries) == 4


def test_a_cursor_counts_for_its_team_only_and_until_it_is_forgotten(sandbox: Sandbox, token: str) -> None:
    cursor = {"cursor": call(sandbox, "team/members/list_v2", {"limit": 10}, token).json()["cursor"]}
    other = sandbox.grant(team=list(sandbox.teams.values())[1])[0]
    assert call(sandbox, "team/members/list/continue_v2", cursor, other).status == 409
    assert call(sandbox, "team/members/list/continue_v2", cursor, token).status == 200
    sandbox.forget_cursors()
    assert call(sandbox, "team/members/list/continue_v2", cursor, token).status == 409


def test_the_demo_people_are_many_kinds_and_always_the_same() -> None:
    first, again = demo_teams(), demo_teams()
    assert [team.members for team in first] == [team.members for team in again]
    nordwind = first[0].members
    assert Counter(map(status_of, nordwind)).keys() == {"active", "invited", "suspended", "removed"}
    assert all(("account_id" in m["profile"]) == (status_of(m) != "invited") for m in nordwind)
    assert all(m["profile"]["email"].isascii() for m in nordwind)
    assert len({m["profile"]["email"] for m in nordwind}) == len(nordwind)
    scripts = {m["profile"]["name"]["display_name"][0] for m in nordwind}
    assert any("\u0590" < c < "\u06ff" for c in scripts)
    assert any(c > "\u3000" for c in scripts)


LATE = dt.datetime(2028, 2, 29, 23, 59, tzinfo=dt.UTC)
MONTH = dt.timedelta(days=30)


def started(day: dt.datetime, state: Path | None = None) -> Sandbox:
    return Sandbox(state_file=state, now=lambda: day)


def told(sandbox: Sandbox, until: dt.datetime) -> list[Any]:
    """Members, and a fortnight of the log before a moment, of every team."""
    fortnight = until - dt.timedelta(days=14)
    return [(team.members, list(log.events(team, fortnight, until))) for team in sandbox.teams.values()]


def stamps(sandbox: Sandbox, name: str) -> list[str]:
    members = [member for team in sandbox.teams.values() for member in team.members]
    return [member["profile"][name] for member in members if name in member["profile"]]


def test_a_restart_a_month_later_finds_the_same_past(tmp_path: Path) -> None:
    before = told(started(LATE, tmp_path / "state"), LATE)
    assert told(started(LATE + MONTH, tmp_path / "state"), LATE) == before
    assert told(started(LATE + MONTH), LATE) != before, "a sandbox that keeps nothing begins on its own first day"


def test_a_state_file_of_before_the_day_was_kept_tells_the_past_it_told(tmp_path: Path) -> None:
    path = tmp_path / "state"
    started(LATE, path)
    kept = json.loads(path.read_text())
    del kept["first_day"]
    path.write_text(json.dumps(kept))
    for _ in range(2):
        old = started(LATE, path)
        assert min(stamps(old, "joined_on")) > "2019-01-07" and max(stamps(old, "joined_on")) < "2026-05-29T16:00:00Z"
        assert max(stamps(old, "invited_on")) < "2026-07-15T09:00:00Z"


@pytest.mark.parametrize("later", [dt.timedelta(0), dt.timedelta(days=3653)])
def test_a_team_is_as_old_as_ever_on_its_first_day(later: dt.timedelta) -> None:
    sandbox = started(LATE + later)
    age = LATE + later - dt.datetime.fromisoformat(max(stamps(sandbox, "joined_on")))
    assert dt.timedelta(days=177) < age < dt.timedelta(days=250)
    team = next(iter(sandbox.teams.values()))
    active = [place for place in enumerate(team.members) if status_of(place[1]) == "active"]
    silent = [index for index, member in active if log.last_seen(team, index, member, LATE + later) is None]
    assert 10 < len(silent) < 40 < len(active), "some have used nothing lately, on the first day as well"


def test_a_million_people_are_made_page_by_page() -> None:
    team = LargeTeam(1_000_000)
    members, following = team.window(999_500, 1000, False)
    assert (len(members), following) == (500, None)
    check("team_members_list_v2", {"members": members[:5], "cursor": "x", "has_more": False})
    assert "members" not in vars(team)


class LocalTeam(dropbox.DropboxTeam):
    """The official SDK, pointed at the served sandbox."""

    def _get_route_url(self, hostname: str, route_name: str) -> str:
        return f"{self.local}/2/{route_name}"


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with served(Sandbox()) as made:
        yield made


@pytest.fixture
def sdk(world: World) -> LocalTeam:
    LocalTeam.local = world.url
    return LocalTeam(world.tokens.token)


def test_the_official_sdk_reads_the_whole_team(sdk: LocalTeam) -> None:
    page = sdk.team_members_list_v2(limit=100, include_removed=True)
    found = list(page.members)
    while page.has_more:
        page = sdk.team_members_list_continue_v2(page.cursor)
        found += page.members
    assert len(found) == 255
    assert sum(member.profile.status.is_removed() for member in found) == 7
    assert {role.name for member in found for role in member.roles} == {"Team", "User management"}


def test_the_official_sdk_reads_the_rest(sdk: LocalTeam) -> None:
    assert sdk.team_get_info().name == "Nordwind Trading"
    admin = sdk.team_token_get_authenticated_admin().admin_profile
    feature = dropbox.team.Feature.has_team_file_events
    assert sdk.team_features_get_values([feature]).values[0].get_has_team_file_events().get_enabled()
    assert len(sdk.team_members_get_available_team_member_roles().roles) == 2
    selectors = [
        dropbox.team.UserSelectorArg.team_member_id(admin.team_member_id),
        dropbox.team.UserSelectorArg.email("nobody@nordwind.example"),
    ]
    known, unknown = sdk.team_members_get_info_v2(selectors).members_info
    assert known.get_member_info().profile.email == admin.email
    assert unknown.get_id_not_found() == "nobody@nordwind.example"


def test_the_official_sdk_understands_the_refusals(sdk: LocalTeam, world: World) -> None:
    with pytest.raises(dropbox.exceptions.ApiError) as caught:
        sdk.team_members_list_continue_v2("nowhere")
    assert caught.value.error.is_invalid_cursor()
    with pytest.raises(dropbox.exceptions.AuthError) as denied:
        LocalTeam(world.sandbox.grant(scopes=["groups.read"])[0]).team_get_info()
    assert denied.value.error.get_missing_scope().required_scope == "team_info.read"
    with pytest.raises(dropbox.exceptions.AuthError) as unknown:
        LocalTeam("nobody").team_get_info()
    assert unknown.value.error.is_invalid_access_token()
