"""Validate Connection against Dropbox: who may receive the files, and what counts as an answer of the job routes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from profiles.connectors import base
from profiles.connectors.dropbox.sandbox import Fault, Sandbox
from tests.connectors.doubles import World, plugged

REMOVAL_JOB = "team/members/remove/job_status/get"
TRANSFER_JOB = "team/members/move_former_member_files/job_status/check"
NOT_CERTAIN = "the role of this admin may not be enough"


@pytest.fixture
def world() -> Iterator[World]:
    with plugged(Sandbox()) as made:
        yield made


def admin_of(world: World) -> dict[str, Any]:
    return next(iter(world.sandbox.teams.values())).admins()[0]


def answered_with(world: World, **changes: Any) -> None:
    """What `get_info_v2` says of the admin from now on; a field set to None is left out."""
    told = {**admin_of(world), **changes}
    info = {".tag": "member_info", **{name: value for name, value in told.items() if value is not None}}
    world.sandbox.faults.add("team/members/get_info_v2", None, Fault(status=200, body={"members_info": [info]}))


def refusal(tag: str) -> dict[str, Any]:
    return {"error_summary": f"{tag}/..", "error": {".tag": tag}}


def test_a_full_admin_passes_and_both_job_routes_are_asked(world: World) -> None:
    told = world.connector().probe(base.RECLAIM)
    assert admin_of(world)["profile"]["email"] in told and NOT_CERTAIN not in told
    assert (world.calls(REMOVAL_JOB), world.calls(TRANSFER_JOB)) == (1, 1)


@pytest.mark.parametrize("route", ["team/members/remove", "team/members/move_former_member_files"])
def test_trying_reclaim_calls_nothing_that_changes_anything(world: World, route: str) -> None:
    world.connector().probe(base.RECLAIM)
    assert world.calls(route) == 0


def test_an_ordinary_member_cannot_receive_the_files(world: World) -> None:
    """`transfer_admin_is_not_admin`: said when the connection is tried, not at the first removal."""
    answered_with(world, roles=[])
    with pytest.raises(base.Refused, match="has no admin role any more"):
        world.connector().probe(base.RECLAIM)


@pytest.mark.parametrize("roles", [None, [{"role_id": "pid_dbtmr:1", "name": "Security", "description": "Security"}]])
def test_a_role_nobody_can_be_sure_of_passes_and_is_told(world: World, roles: Any) -> None:
    answered_with(world, roles=roles)
    assert NOT_CERTAIN in world.connector().probe(base.RECLAIM)


@pytest.mark.parametrize("route", [REMOVAL_JOB, TRANSFER_JOB])
@pytest.mark.parametrize(
    "answer",
    [
        Fault(status=409, body=refusal("internal_error")),
        Fault(status=400, body="Error in call to API function: request body: async_job_id: did not match pattern"),
        Fault(status=200, body=json.dumps({".tag": "in_progress"})),
    ],
)
def test_whatever_is_said_of_the_job_proves_the_route(world: World, route: str, answer: Fault) -> None:
    world.sandbox.faults.add(route, 1, answer)
    assert "the calls for removals are allowed" in world.connector().probe(base.RECLAIM)


@pytest.mark.parametrize(
    ("route", "answer", "error"),
    [
        (REMOVAL_JOB, Fault(status=404, body="Not found"), base.ProtocolError),
        (REMOVAL_JOB, Fault(status=400, body="Error in call to API function: unknown function"), base.ProtocolError),
        (TRANSFER_JOB, Fault(status=403, body=refusal("no_permission")), base.Refused),
        (TRANSFER_JOB, Fault(status=401, body=refusal("missing_scope")), base.MissingScope),
    ],
)
def test_whatever_is_said_of_the_route_itself_is_a_failure(
    world: World, route: str, answer: Fault, error: type
) -> None:
    world.sandbox.faults.add(route, 1, answer)
    with pytest.raises(error):
        world.connector().probe(base.RECLAIM)


def suspend(world: World, admin: dict[str, Any]) -> None:
    admin["profile"]["status"] = {".tag": "suspended"}


def remove(world: World, admin: dict[str, Any]) -> None:
    admin["profile"]["status"] = {".tag": "removed", "is_recoverable": True, "is_disconnected": False}


def demote(world: World, admin: dict[str, Any]) -> None:
    admin["roles"] = []


def hide(world: World, admin: dict[str, Any]) -> None:
    suspend(world, admin)
    world.sandbox.faults.add("team/members/get_info_v2", None, Fault(status=401, body=refusal("missing_scope")))


@pytest.mark.parametrize(
    ("happens", "words", "remedy"),
    [
        (suspend, "is suspended", "Restore the suspended admin"),
        (remove, "has left the team", "as an active team admin"),
        (demote, "has no admin role any more", "as an active team admin"),
        (hide, "is suspended, has left the team or lost the admin role", "as an active team admin"),
    ],
)
def test_what_became_of_the_admin_who_authorized_is_told_in_words(
    world: World, happens: Any, words: str, remedy: str
) -> None:
    admin = admin_of(world)
    known = admin["profile"]["team_member_id"]
    happens(world, admin)
    with pytest.raises(base.Refused) as caught:
        world.connector().probe(base.RECLAIM, authorized_by=known)
    assert str(caught.value).endswith(f"{words}.") and remedy in caught.value.remedy
    assert caught.value.failure.request_id and caught.value.failure.tag == "admin_not_active"


def test_of_an_unknown_admin_nothing_is_claimed(world: World) -> None:
    suspend(world, admin_of(world))
    with pytest.raises(base.Refused, match="is suspended, has left the team or lost the admin role"):
        world.connector().probe(base.RECLAIM)


def test_an_admin_who_vanished_from_the_list_has_left_the_team(world: World) -> None:
    admin = admin_of(world)
    suspend(world, admin)
    with pytest.raises(base.Refused, match="has left the team"):
        world.connector().admin(authorized_by="dbmid:gone")
