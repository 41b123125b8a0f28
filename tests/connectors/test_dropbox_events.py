"""The team log folded: who is credited, what counts, and what odd events do to a page."""

from __future__ import annotations

import copy
import json
import random
from collections import Counter
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import pytest

from profiles.connectors.activity import Repeats, name_of
from profiles.connectors.base import ActivityPage, Use, Uses
from profiles.connectors.dropbox import activity_types, devices, events
from tests.connectors.doubles import sample

BOUND = datetime(2026, 7, 21, tzinfo=UTC)
LOGIN: dict[str, Any] = sample("team_log_get_events")["events"][0]
EARLIER = "2026-07-01T00:00:00Z"
WHO = LOGIN["actor"]["user"]["team_member_id"]


def event(**changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(LOGIN), **changes}


class Folded(NamedTuple):
    page: ActivityPage
    into: Uses

    @property
    def uses(self) -> list[Use]:
        return list(self.into.rows())

    @property
    def counted(self) -> dict[str, int]:
        return {name: number for name, number in self.into.counters.items() if number}


def fold(*found: Any, cursor: Any = "next", has_more: bool = False) -> Folded:
    into = Uses()
    body = json.dumps({"events": found, "cursor": cursor, "has_more": has_more}).encode()
    page = events.page(body, BOUND)
    page.fold(into)
    return Folded(page, into)


def acting(tag: str, **fields: Any) -> dict[str, Any]:
    return {".tag": tag, tag: {".tag": "team_member", **fields}}


def test_dropboxs_own_samples_are_read() -> None:
    into = Uses()
    page = events.page(json.dumps(sample("team_log_get_events")).encode(), BOUND)
    page.fold(into)
    assert page.has_more and page.cursor
    assert (WHO, "login_success") in [(use.external_id, use.kind) for use in into.rows()]
    empty = events.page(json.dumps(sample("team_log_get_events_continue.empty_page")).encode(), BOUND)
    empty.fold(nothing := Uses())
    assert not nothing and empty.read == 0


def test_a_day_of_one_account_is_one_use_with_its_latest_event_whatever_the_order() -> None:
    early, late = event(timestamp="2026-07-20T01:00:00Z"), event(timestamp="2026-07-20T23:00:00Z")
    late["event_type"] = {".tag": "file_edit", "description": ""}
    other_day = event(timestamp="2026-07-19T12:00:00Z")
    page = fold(late, other_day, early)
    first, second = sorted(page.uses, key=lambda use: use.day)
    assert first == (WHO, "", "", date(2026, 7, 19), datetime(2026, 7, 19, 12, tzinfo=UTC), "login_success", 1)
    assert second == (WHO, "", "", date(2026, 7, 20), datetime(2026, 7, 20, 23, tzinfo=UTC), "file_edit", 2)


@pytest.mark.parametrize(
    ("actor", "credited"),
    [
        (acting("user", team_member_id="dbmid:1", account_id="dbid:1", email="a@x"), ("dbmid:1", "", "")),
        (acting("admin", team_member_id="dbmid:2"), ("dbmid:2", "", "")),
        (acting("user", account_id="dbid:1", email="a@x"), ("", "dbid:1", "a@x")),
        (acting("user", email="a@x"), ("", "", "a@x")),
        ({".tag": "user", "user": {".tag": "non_team_member", "email": "g@y"}}, ("", "", "g@y")),
        ({".tag": "user", "user": {".tag": "a_new_kind_of_user", "account_id": "dbid:9"}}, ("", "dbid:9", "")),
    ],
)
def test_the_actor_is_credited_by_the_best_id_there_is(actor: Any, credited: tuple[str, str, str]) -> None:
    (use,) = fold(event(actor=actor)).uses
    assert (use.external_id, use.account_id, use.email) == credited


@pytest.mark.parametrize(
    "actor",
    [
        {".tag": "app", "app": {".tag": "user_linked_app", "app_id": "dbaid:1"}},
        {".tag": "reseller", "reseller": {"reseller_name": "R", "reseller_email": "r@r"}},
        {".tag": "dropbox"},
        {".tag": "anonymous"},
        {".tag": "user", "user": {".tag": "non_team_member", "display_name": "A Guest"}},
    ],
)
def test_apps_dropbox_resellers_and_strangers_are_nobodys_use(actor: Any) -> None:
    """The context still names a member: it is not credited."""
    page = fold(event(actor=actor))
    assert not page.uses and page.counted == {"read": 1, "not_member": 1}


@pytest.mark.parametrize(
    ("actor", "named"),
    [
        ({".tag": "agent", "agent": {".tag": "team_member", "team_member_id": WHO}}, "agent"),
        ({".tag": "user", "user": {".tag": "team_member", "display_name": "Ann"}}, "user without an id or an address"),
        ({".tag": "user"}, "user without an id or an address"),
        ({".tag": "admin", "admin": {}}, "admin without an id or an address"),
        ({".tag": "user\x00\n" + "x" * 500}, "user" + "x" * 115),
    ],
)
def test_an_actor_of_an_unknown_kind_may_be_somebody_and_is_counted_and_named(actor: Any, named: str) -> None:
    page = fold(event(actor=actor))
    assert not page.uses and page.counted == {"read": 1, "unknown_actor": 1}
    assert [name.replace(" ", "") for name in page.into.unknown_actors] == [named.replace(" ", "")]


def test_an_event_that_is_sent_twice_counts_once_wherever_it_stands() -> None:
    """Equal are events of the same second, kind and actor; a page may be repeated whole or in part."""
    first, other = event(), event(timestamp=EARLIER)
    edit = event(event_type={".tag": "file_edit", "description": ""})
    somebody = event(actor=acting("user", email="a@x"))
    page = fold(first, other, first, edit, somebody, somebody, other)
    assert page.counted == {"read": 7, "counted": 4, "repeated": 3}
    assert sum(use.events for use in page.uses) == 4


def test_what_was_sent_a_page_ago_is_remembered_and_what_was_sent_long_ago_is_not() -> None:
    repeats = Repeats(most=2)
    counts = []
    for day in (1, 1, 2, 3, 1, 4, 5, 1):
        into = Uses(repeats)
        body = {"events": [event(timestamp=f"2026-07-{day:02}T00:00:00Z")], "cursor": "c", "has_more": False}
        events.page(json.dumps(body).encode(), BOUND).fold(into)
        counts.append(into.counters["counted"])
    assert counts == [1, 0, 1, 1, 0, 1, 1, 1]


def test_an_unknown_kind_that_is_sent_twice_is_one_unknown_event() -> None:
    strange = event(event_category={".tag": "holograms"}, event_type={".tag": "hologram_shown", "description": ""})
    assert fold(event(), strange, event(), strange).counted == {"read": 4, "counted": 2, "unknown": 1, "repeated": 2}


def test_on_the_day_of_the_bound_every_event_is_compared_with_it() -> None:
    """The bound is a moment, not a day, and days may come mixed."""
    bound = datetime(2026, 7, 20, 12, tzinfo=UTC)
    times = ["20T11:00:00Z", "20T13:00:00Z", "19T23:00:00Z", "20T11:30:00Z", "20T12:00:01Z", "20T13:59:00+02:00"]
    body = {"events": [event(timestamp=f"2026-07-{time}") for time in times], "cursor": "", "has_more": False}
    events.page(json.dumps(body).encode(), bound).fold(into := Uses())
    assert into.counters["counted"] == 4 and into.counters["set_aside"] == 2
    assert {use.day.day: (use.events, use.latest.minute) for use in into.rows()} == {20: (3, 59), 19: (1, 0)}


def plain_reason(one: Any) -> str:
    """Why an event is nobody's use, asked one after the other."""
    actor, origin = one["actor"], one["origin"] or {}
    if actor is None:
        return "no_actor"
    if actor[".tag"] not in ("user", "admin"):
        return "unknown_actor" if actor[".tag"] == "agent" else "not_member"
    if one["event_type"][".tag"] in activity_types.NO_USE:
        return "not_use"
    user = actor.get("user") or actor.get("admin") or {}
    if not any(user.get(name) for name in ("team_member_id", "account_id", "email")):
        return "not_member" if user.get(".tag") == "non_team_member" else "unknown_actor"
    access = (origin.get("access_method") or {}).get(".tag")
    if access == "sign_in_as" and actor[".tag"] == "user":
        return "signed_in_as"
    return "" if "2000" <= one["timestamp"] <= "2026-07-21" else "set_aside"


def any_event(dice: random.Random) -> dict[str, Any]:
    """An event of any form, most often a usual one."""
    number = dice.randrange(4)
    ids = {"team_member_id": f"dbmid:{number}", "account_id": f"dbid:{number}", "email": f"{number}@x"}
    named = dice.choice([ids, ids, ids, {"account_id": ids["account_id"]}, {"email": ids["email"]}, {}])
    user = {".tag": dice.choice(["team_member"] * 5 + ["non_team_member"]), **named}
    tag = dice.choice(["user"] * 6 + ["admin", "app", "agent"])
    usual = {"access_method": {".tag": "end_user"}}
    return event(
        timestamp=f"{dice.choice(['2026-07-19', '2026-07-20'] * 4 + ['1999-12-31', '2026-07-22'])}T08:00:0{number}Z",
        event_type={".tag": dice.choice(["login_success", "file_edit", "login_fail", "hologram_shown"])},
        actor=dice.choice([{".tag": tag, tag: user}] * 9 + [None]),
        origin=dice.choice([usual] * 5 + [None, {}, {"access_method": {".tag": "sign_in_as"}}]),
    )


@pytest.mark.parametrize("seed", range(8))
def test_whatever_a_page_is_mixed_of_each_event_is_judged_by_itself(seed: int) -> None:
    """The same answer as from plain questions, one event after the other, in any order."""
    dice = random.Random(seed)  # noqa: S311 - the same events in every run
    into, counted = Uses(), Counter[str]()
    latest: dict[tuple[str, ...], list[str]] = {}
    for _ in range(4):
        found = [any_event(dice) for _ in range(60)]
        body = json.dumps({"events": found, "cursor": "next", "has_more": False}).encode()
        events.page(body, BOUND).fold(into)
        for one in found:
            if reason := plain_reason(one):
                counted[reason] += 1
                continue
            user = one["actor"].get("user") or one["actor"].get("admin")
            member = user.get("team_member_id", "")
            whose = (member, "", "") if member else ("", user.get("account_id", ""), user.get("email", ""))
            moment = one["timestamp"] + one["event_type"][".tag"]
            known = latest.setdefault((*whose, one["timestamp"][:10]), [])
            counted["repeated" if moment in known else "counted"] += 1
            known += [moment] * (moment not in known)
    assert into.counters["read"] == 240 and counted == {name: into.counters[name] for name in counted}
    folded = {
        (*use[:3], str(use.day)): (use.latest.strftime(events.STAMP) + use.kind, use.events) for use in into.rows()
    }
    assert folded == {whose: (max(moments), len(moments)) for whose, moments in latest.items()}


def test_the_account_and_address_that_came_with_an_id_are_kept_for_when_nobody_knows_the_id() -> None:
    page = fold(event(actor=acting("user", team_member_id="dbmid:1", account_id="dbid:1", email="a@x")))
    assert {key: name_of(actor) for key, actor in page.into.names.items()} == {"dbmid:1": ("dbid:1", "a@x")}


def test_what_an_administrator_does_while_signed_in_as_a_member_is_told_apart() -> None:
    """Actor admin: the admin's own use. Actor user: an admin was at the keyboard, so it is nobody's."""
    worn = {"access_method": {".tag": "sign_in_as", "session_id": "dbwsid:1"}}
    start = event(
        event_category={".tag": "logins"},
        event_type={".tag": "sign_in_as_session_start", "description": ""},
        actor=acting("admin", team_member_id="dbmid:ADMIN"),
        origin=worn,
    )
    page = fold(start, event(origin=worn))
    assert page.counted == {"read": 2, "counted": 1, "signed_in_as": 1}
    assert page.uses[0].external_id == "dbmid:ADMIN" and page.uses[0].kind == "sign_in_as_session_start"


@pytest.mark.parametrize("missing", [None, "absent"])
def test_an_event_without_an_actor_is_counted_and_credits_nobody(missing: Any) -> None:
    lone = event(actor=None)
    if missing == "absent":
        del lone["actor"]
    assert fold(lone).counted == {"read": 1, "no_actor": 1}


@pytest.mark.parametrize("kind", sorted(activity_types.NO_USE))
def test_failures_and_what_others_sent_are_no_use(kind: str) -> None:
    page = fold(event(event_type={".tag": kind, "description": ""}))
    assert not page.uses and page.counted == {"read": 1, "not_use": 1}


def test_an_admin_wearing_the_account_is_not_the_member() -> None:
    worn = event(origin={"access_method": {".tag": "sign_in_as", "sign_in_as": {".tag": "web"}}})
    assert fold(worn).counted == {"read": 1, "signed_in_as": 1}


@pytest.mark.parametrize("origin", [None, {}, {"access_method": None}, {"access_method": {".tag": "new_method"}}])
def test_any_other_way_in_is_the_members_own(origin: Any) -> None:
    assert len(fold(event(origin=origin)).uses) == 1


def test_an_unknown_kind_counts_to_be_safe_and_is_named() -> None:
    page = fold(event(event_category={".tag": "holograms"}, event_type={".tag": "hologram_shown", "description": ""}))
    assert len(page.uses) == 1 and sorted(page.into.unknown_kinds) == ["holograms: hologram_shown"]
    assert page.counted == {"read": 1, "counted": 1, "unknown": 1}


@pytest.mark.parametrize(
    ("timestamp", "told"),
    [
        ("2026-07-20T08:00:00.123Z", datetime(2026, 7, 20, 8, 0, 0, 123000, tzinfo=UTC)),
        ("2026-07-20T08:00:00+00:00", datetime(2026, 7, 20, 8, tzinfo=UTC)),
        ("2026-07-20T23:30:00-02:00", None),  # after what we call now
        ("2026-07-21T00:30:00+02:00", datetime(2026, 7, 20, 22, 30, tzinfo=UTC)),
    ],
)
def test_other_spellings_of_a_time_are_understood(timestamp: str, told: datetime | None) -> None:
    page = fold(event(timestamp=timestamp))
    assert [(use.latest, use.day) for use in page.uses] == ([(told, told.date())] if told else [])


@pytest.mark.parametrize(
    "timestamp",
    [
        "",
        "yesterday",
        "2026-02-30T08:00:00Z",
        "2026-07-20T25:00:00Z",
        "2026-07-20",
        "9999-12-31T23:59:59Z",
        "9999-12-31T23:59:59-10:00",
        "0001-01-01T00:00:00+10:00",
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00-14:00",
        "1601-01-01T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00Z",
        "1999-12-31T23:59:59Z",
        "2000-01-01T01:00:00+02:00",
        "2099-01-01T00:00:00Z",
        "0000-00-00T00:00:00Z",
        "2026-07-20T08:00:00",
    ],
)
def test_an_impossible_time_is_set_aside_and_the_rest_of_the_page_counts(timestamp: str) -> None:
    """One event from the future would make its seat active for ever."""
    page = fold(event(), event(timestamp=timestamp), event(timestamp=EARLIER))
    assert page.counted == {"read": 3, "counted": 2, "set_aside": 1}
    assert page.uses[0].latest == datetime.fromisoformat(LOGIN["timestamp"])


@pytest.mark.parametrize(
    "odd",
    [
        None,
        7,
        "text",
        [],
        {},
        {"timestamp": None},
        event(timestamp=5),
        event(event_type="login_success"),
        event(actor=[]),
    ],
)
def test_an_odd_event_is_set_aside_alone(odd: Any) -> None:
    page = fold(event(), odd, event(timestamp=EARLIER))
    assert page.counted == {"read": 3, "counted": 2, "set_aside": 1}
    assert page.page.cursor == "next"


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"{}", b'{"events": 3}', b'{"events": [], "cursor": "x"}', b"<html>"]
)
def test_an_answer_that_is_no_log_is_refused_as_a_whole(body: bytes) -> None:
    with pytest.raises((ValueError, RecursionError)):
        events.page(body, BOUND)


def test_hostile_text_is_cut_and_cleaned() -> None:
    (use,) = fold(event(event_type={".tag": "x" * 500 + "\x00\n", "description": ""})).uses
    assert len(use.kind) == 80 and "\x00" not in use.kind


DAMAGED = ["dbmid:\0 1", "\0", "dbmid:1\n", "dbmid:1\ufffd", "dbmid:\ud800", "x" * 129]


@pytest.mark.parametrize("odd", DAMAGED)
def test_a_damaged_identity_of_an_actor_leads_to_nobody_and_may_be_somebody(odd: str) -> None:
    """It is not repaired: the repaired one could be somebody else's."""
    for actor in ({"team_member_id": odd}, {"account_id": odd}, {"team_member_id": odd, "email": "a\0nn@example.com"}):
        page = fold(event(actor=acting("user", **actor)))
        assert not page.uses and page.counted == {"read": 1, "unknown_actor": 1}
    body = {"devices": [{"team_member_id": odd, "web_sessions": [{"updated": EARLIER}]}], "has_more": False}
    devices.page(json.dumps(body).encode(), BOUND).fold(into := Uses())
    assert not list(into.rows()) and into.counters["set_aside"] == 1


@pytest.mark.parametrize("odd", DAMAGED)
def test_beside_a_damaged_id_the_whole_one_leads_to_its_account(odd: str) -> None:
    actors = [{"team_member_id": odd, "email": "ann@x"}, {"account_id": odd, "email": "bob@x"}]
    found = fold(*(event(actor=acting("user", **actor)) for actor in actors)).uses
    assert [use[:3] for use in found] == [("", "", "ann@x"), ("", "", "bob@x")]


def test_device_sessions_give_the_latest_moment_and_never_the_future() -> None:
    into = Uses()
    body = {
        "devices": [
            {
                "team_member_id": "dbmid:1",
                "web_sessions": [{"updated": "2026-07-01T00:00:00Z"}, {"updated": "2026-07-03T00:00:00Z"}, {}],
                "desktop_clients": [{"updated": "2099-01-01T00:00:00Z"}],
                "mobile_clients": None,
            },
            {"team_member_id": "dbmid:2"},
        ],
        "has_more": False,
    }
    devices.page(json.dumps(body).encode(), BOUND).fold(into)
    (use,) = into.rows()
    assert use[:3] == ("dbmid:1", "", "") and use.kind == "web_session"
    assert use.latest == datetime(2026, 7, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    "odd",
    [
        None,
        {"web_sessions": []},
        {"team_member_id": "dbmid:2", "web_sessions": [{"updated": "yesterday"}]},
        {"team_member_id": "dbmid:2", "web_sessions": {"updated": "2026-07-01T00:00:00Z"}},
    ],
)
def test_an_odd_device_record_is_set_aside_alone(odd: Any) -> None:
    fit = {"team_member_id": "dbmid:1", "web_sessions": [{"updated": "2026-07-01T00:00:00Z"}]}
    into = Uses()
    devices.page(json.dumps({"devices": [odd, fit], "has_more": False}).encode(), BOUND).fold(into)
    assert [use.external_id for use in into.rows()] == ["dbmid:1"] and into.counters["set_aside"] == 1


@pytest.mark.parametrize(
    "never",
    ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", None],
)
def test_a_session_of_an_impossible_time_says_nothing_and_another_one_counts(never: str | None) -> None:
    odd = {"team_member_id": "dbmid:1", "web_sessions": [{"updated": never}]}
    both = {"team_member_id": "dbmid:2", "web_sessions": [{"updated": never}, {"updated": "2026-07-01T00:00:00Z"}]}
    into = Uses()
    devices.page(json.dumps({"devices": [odd, both], "has_more": False}).encode(), BOUND).fold(into)
    assert [(use.external_id, use.latest) for use in into.rows()] == [("dbmid:2", datetime(2026, 7, 1, tzinfo=UTC))]


@pytest.mark.parametrize("broken", [b'"\\ud800"', b'"\xff"', b"9" * 5000, b"-" + b"9" * 5000])
@pytest.mark.parametrize("odd", [False, True])
def test_an_odd_text_or_number_costs_nobody_the_page(broken: bytes, odd: bool) -> None:
    """Every try would give the same page, so it must be read."""
    members = [
        {"team_member_id": f"dbmid:{n}", "web_sessions": [{"updated": EARLIER}], "host": "BROKEN"} for n in (1, 2)
    ]
    for key, records, decode in (
        ("events", [event(ip="BROKEN"), event(timestamp=EARLIER)], events.page),
        ("devices", members, devices.page),
    ):
        body = json.dumps({key: [*([None] if odd else []), *records], "has_more": False}).encode()
        decode(body.replace(b'"BROKEN"', broken), BOUND).fold(into := Uses())
        assert len(list(into.rows())) == 2 and into.counters["set_aside"] == odd


def test_every_class_of_the_table_says_why() -> None:
    assert all(row.reason and row.label for row in activity_types.TABLE)
    named = {example for row in activity_types.TABLE if not row.counts for example in row.examples}
    assert named >= activity_types.NO_USE
