"""Answers that travel badly or make no sense: a call ends in time, in a typed error, and an odd record goes alone."""

from __future__ import annotations

import json
import random
import socket
import threading
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest

from profiles import connectors
from profiles.connectors import base
from profiles.connectors.base import Limits
from profiles.connectors.dropbox import events, members
from profiles.connectors.dropbox.sandbox import Fault, Sandbox, log, routes
from profiles.connectors.dropbox.sandbox.team import Team
from tests.connectors.doubles import Tokens, World, endpoints, plugged, served
from tests.faults import proxy
from tests.faults.tenant import LIST, Tenant

pytestmark = [pytest.mark.fault, pytest.mark.one_database]
BOUND = datetime(2030, 1, 1, tzinfo=UTC)
JSON = {"Content-Type": "application/json"}
DEADLINE = 0.5
MEGABYTE = 1024 * 1024


def small_sandbox() -> Sandbox:
    return Sandbox([Team("Nordwind Trading", "nordwind.example", 12, 20)])


def test_a_call_ends_at_its_deadline_however_the_network_behaves(measured: Any) -> None:
    """All attempts of a call together; the product's deadline is 100 seconds."""
    slowest, kinds, unexpected = 0.0, set(), 0
    with served(small_sandbox()) as world, proxy.before(urlsplit(world.url).port or 0) as between:
        world.url = between.url
        for way in proxy.WAYS[1:]:
            connector = world.connector(deadline=DEADLINE, read_timeout=0.4, connect_timeout=0.4, attempts=3)
            between.way, began = way, time.monotonic()
            try:
                connector.team()
                unexpected += 1
            except base.TryLater as error:
                kinds.add(type(error).__name__)
            slowest = max(slowest, time.monotonic() - began)
            between.way = "through"
            assert connector.team().name == "Nordwind Trading", "a trouble that is over is over"
    assert (unexpected, kinds) == (0, {"AnswerLost", "GaveUp"})
    ways = ", ".join(proxy.WAYS[1:])
    measured("F49", f"proxy: {ways}", f"longest call (deadline {DEADLINE} s)", slowest, must=f"≤ {DEADLINE + 0.5} s")


def true_page(world: World) -> bytes:
    team = next(iter(world.sandbox.teams.values()))
    return json.dumps({"members": team.members, "cursor": "next", "has_more": False}).encode()


def damaged(body: bytes, count: int) -> Iterator[bytes]:
    """Cut, bit by bit spoilt, of another type, and too deep: the same ones in every run."""
    chance = random.Random(7)
    for _ in range(count):
        yield body[: chance.randrange(len(body))]
        spoilt = bytearray(body)
        for _ in range(chance.randrange(1, 20)):
            spoilt[chance.randrange(len(spoilt))] = chance.randrange(256)
        yield bytes(spoilt)
    values = ("null", "[]", "{}", "0", '""', "true", "NaN", '{"members": 1}', '{"members": [[]], "has_more": "yes"}')
    yield from (text.encode() for text in values)
    yield from (b"[" * 100_000, b'{"a":' * 50_000, b"\x00" * 100, b"\xff\xfe" + body, b'{"members":[' + b"{}," * 5000)


def test_no_body_crashes_a_connector(measured: Any) -> None:
    crashes, tried, wrong = [], 0, 0
    with plugged(small_sandbox()) as world:
        body = true_page(world)
        since = datetime(2026, 1, 1, tzinfo=UTC)
        for text in damaged(body, 150):
            world.sandbox.faults.clear()
            world.sandbox.faults.add("*", None, Fault(status=200, body=text, headers=JSON))
            for act in (
                lambda one: [len(page.items) + len(page.set_aside) for page in one.seats()],
                lambda one: [page.read for page in one.activity(since)],
                lambda one: one.team(),
                lambda one: one.admin(),
            ):
                tried += 1
                try:
                    act(world.connector(attempts=1))
                except base.ConnectorError:
                    wrong += 1
                except Exception as error:  # noqa: BLE001 - this is what must not be
                    crashes.append((repr(error), text[:80]))
    assert wrong > tried / 2
    assert crashes == []
    measured("F50", f"{tried} answers: cut, spoilt, of another type, too deep", "errors without a type", len(crashes))


@contextmanager
def endless(size: int) -> Iterator[str]:
    """A server that answers every call with so many bytes, a piece at a time."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        piece = b" " * 65536
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with client:
                client.recv(65536)
                try:
                    client.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode())
                    for _ in range(size // len(piece)):
                        client.sendall(piece)
                except OSError:
                    continue

    threading.Thread(target=serve, daemon=True).start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    listener.close()


def test_an_answer_of_fifty_megabytes_is_left_at_the_cap(measured: Any) -> None:
    with endless(50 * MEGABYTE) as url:
        connector = connectors.open("dropbox", endpoints(url), "key", Tokens("t"), Limits(attempts=1))
        tracemalloc.start()
        try:
            with pytest.raises(base.TryLater, match="larger"):
                next(iter(connector.seats()))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    measured("F50", "an answer of 50 MB, cap 32 MB", "peak of memory", round(peak / MEGABYTE, 1), must="≤ 40 MB")


def places(record: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every field of a record, nested ones too."""
    pairs = record.items() if isinstance(record, dict) else enumerate(record) if isinstance(record, list) else ()
    for key, value in pairs:
        yield (*path, key)
        yield from places(value, (*path, key))


GONE = object()
VALUES = (
    GONE,
    None,
    "",
    "a tag nobody knows",
    -1,
    2**70,
    1.5,
    True,
    [],
    {},
    [None],
    {".tag": "new"},
    "\x00\ud800",
    "x" * 5000,
)


def mutants(record: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The record with every field missing, null, of every other type, and with unknown tags; and with new fields."""
    for path in places(record):
        for value in VALUES:
            mutant = deepcopy(record)
            holder = mutant
            for key in path[:-1]:
                holder = holder[key]
            if value is GONE:
                del holder[path[-1]]
            else:
                holder[path[-1]] = value
            yield mutant
    yield {**deepcopy(record), "a new field": {"of": ["any", 1]}}
    yield from ([], None, "text", 7, {})  # type: ignore[misc]


def test_an_odd_member_goes_alone(measured: Any) -> None:
    team = next(iter(small_sandbox().teams.values()))
    whole = [deepcopy(one) for one in team.members[:5]]
    others = {one["profile"]["team_member_id"] for one in whole[1:]}
    lost = tried = 0
    for mutant in mutants(team.members[0]):
        page = members.page(json.dumps({"members": [*whole[1:3], mutant, *whole[3:]], "has_more": False}).encode())
        tried += 1
        lost += len(others - {one.external_id for one in page.items})
        lost += len(page.items) + len(page.set_aside) != len(whole)
    assert tried > 300
    measured(
        "F51", f"{tried} mutants of a member: fields missing, null, of another type, unknown tags", "lost rows", lost
    )


def test_an_odd_event_goes_alone(measured: Any) -> None:
    team = next(iter(small_sandbox().teams.values()))
    day = datetime(2026, 3, 3, tzinfo=UTC).date()
    counted = [
        one for one in log.events_of_day(team, day) if one.get("actor", {}).get("user", {}).get("team_member_id")
    ]
    whole = [one for one in counted if one["event_type"][".tag"] != "login_fail"][:4]
    assert len(whole) == 4
    lost = tried = 0
    for mutant in mutants(whole[0]):
        into = base.Uses()
        body = json.dumps({"events": [*whole[:2], mutant, *whole[2:]], "has_more": False}).encode()
        page = events.page(body, BOUND)
        page.fold(into)
        tried += 1
        told, kept = into.counters, sum(row.events for row in into.rows())
        reasons = sum(told[name] for name in ("not_use", "not_member", "signed_in_as", "set_aside", "repeated"))
        reasons += told["no_actor"] + told["unknown_actor"]
        lost += max(0, len(whole) - kept)
        lost += page.read != len(whole) + 1 or told["read"] != told["counted"] + reasons
    assert tried > 300
    measured("F51", f"{tried} mutants of an event", "lost events", lost)


@pytest.mark.django_db(transaction=True)
def test_an_odd_member_is_set_aside_and_ends_no_seat(
    tenant: Tenant, measured: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, lost, odd = tenant.current(), 0, ("status", "email", "membership_type", "team_member_id")
    for name in odd:

        def without(call: routes.Call, name: str = name) -> Any:
            told = deepcopy(routes.list_members(call))
            del told["members"][4]["profile"][name]
            return told

        monkeypatch.setitem(routes.ROUTES, LIST, replace(routes.ROUTES[LIST], answer=without))
        run = tenant.download()
        assert run.counters["set_aside"] == 1 and run.warnings and run.state in ("succeeded", "held")
        lost += len(before - tenant.current())
    measured("F51", f"a member without {', '.join(odd)}, downloaded", "seats lost", lost + tenant.ended())
