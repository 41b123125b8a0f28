"""Try a connection without changing anything: does every route of a process answer, and is the admin suitable?"""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec

from profiles.connectors.base import Admin, ConnectorError, Failure, MissingScope, ProtocolError, Refused, plain
from profiles.connectors.dropbox import members
from profiles.connectors.dropbox.client import DropboxClient
from profiles.connectors.dropbox.events import STAMP

ANEW = "Press Get OAuth Token as an active team admin who may receive the files of removed members."
NOT_CERTAIN = " Dropbox asks for a team admin here; the role of this admin may not be enough."
VERIFY = "Sign in to Dropbox as this admin and verify the e-mail address; files can only go to a verified account."
SUSPENDED = "Restore the suspended admin in Dropbox, or press Get OAuth Token as another team admin."
NOT_ACTIVE = "The admin who authorized this connection is suspended, has left the team or lost the admin role."
NO_JOB = "dbjid:AAC-samsaas-connection-check"
JOB_ROUTES = (
    "team/members/remove/job_status/get",
    "team/members/move_former_member_files/job_status/check",
)
# PollError in the specification. Both tags are about the job, so token, scope and route were accepted.
ABOUT_THE_JOB = ("invalid_async_job_id", "internal_error")


class _Feature(msgspec.Struct):
    tag: str = msgspec.field(name=".tag")
    has_team_file_events: Any = None


class _Features(msgspec.Struct):
    values: list[_Feature]


class _Infos(msgspec.Struct):
    members_info: list[dict[str, Any]]


def file_events(client: DropboxClient) -> bool | None:
    """Whether the plan records file events (`has_team_file_events`)."""
    try:
        answer = client.read("team/features/get_values", _Features, {"features": [{".tag": "has_team_file_events"}]})
    except (MissingScope, Refused, ProtocolError):
        return None
    for value in answer.values:
        inside = value.has_team_file_events
        if value.tag == "has_team_file_events" and isinstance(inside, dict):
            return inside["enabled"] if isinstance(inside.get("enabled"), bool) else None
    return None


def activity(client: DropboxClient) -> str:
    """Read one event of the last day."""
    since = (dt.datetime.now(dt.UTC) - dt.timedelta(days=1)).strftime(STAMP)
    client.call("team_log/get_events", {"limit": 1, "time": {"start_time": since}})
    files = file_events(client)
    if files is False:
        return "The team log can be read. This plan records no file events, only sign-ins, sharing and devices."
    return "The team log can be read" + (", with file events." if files else ".")


def inactive_admin(client: DropboxClient, member_id: str, refusal: Refused) -> Refused:
    """Why Dropbox calls the authorizing admin not active: suspended, gone, or without the role. One call finds out."""
    text, remedy = NOT_ACTIVE, ANEW
    try:
        found = _member_info(client, member_id) if member_id else {}
        if found.get(".tag") == "id_not_found":
            text = "The admin who authorized this connection has left the team."
        elif found:
            member = msgspec.convert(found, members.Member)
            text, remedy = _describe_inactive(member)
    except (ConnectorError, msgspec.ValidationError):
        pass
    return Refused(text, failure=refusal.failure, remedy=remedy)


def _describe_inactive(member: members.Member) -> tuple[str, str]:
    who = f"The admin who authorized this connection, {plain(member.profile.email, members.EMAIL)},"
    status = member.profile.status.tag
    if status == "suspended":
        return f"{who} is suspended.", SUSPENDED
    if status == "removed":
        return f"{who} has left the team.", ANEW
    return (f"{who} has no admin role any more.", ANEW) if status == "active" else (NOT_ACTIVE, ANEW)


def _member_info(client: DropboxClient, member_id: str) -> dict[str, Any]:
    selector = {".tag": "team_member_id", "team_member_id": member_id}
    answer = client.read("team/members/get_info_v2", _Infos, {"members": [selector]})
    return answer.members_info[0] if answer.members_info else {}


def reclaim(client: DropboxClient, admin: Admin) -> str:
    """Check that the admin is active, verified and still an admin, and that the routes after a removal answer."""
    found = _member_info(client, admin.external_id)
    if found.get(".tag") != "member_info":
        raise Refused(f"The authorizing admin {admin.email} is not in the team any more.", remedy=ANEW)
    try:
        member = msgspec.convert(found, members.Member)
    except msgspec.ValidationError as error:
        raise ProtocolError(f"Dropbox's answer on {admin.email} is not readable: {error}") from error
    if member.profile.status.tag != "active":
        raise Refused(f"The authorizing admin {admin.email} is {member.profile.status.tag}.", remedy=ANEW)
    if member.profile.email_verified is False:
        raise Refused(f"The e-mail address of {admin.email} is not verified.", remedy=VERIFY)
    if found.get("roles") == []:  # ordinary members have an empty list; without the field we know nothing
        raise Refused(f"The authorizing admin {admin.email} has no admin role any more.", remedy=ANEW)
    _try_job_routes(client)
    note = "" if members.seat(member).is_full_admin else NOT_CERTAIN
    return f"Files of removed members go to {admin.email}; the calls for removals are allowed.{note}"


def _try_job_routes(client: DropboxClient) -> None:
    """Ask for a job that does not exist. The answer that it is unknown proves that routes and scopes are available."""
    for route in JOB_ROUTES:
        try:
            client.call(route, {"async_job_id": NO_JOB})
        except (Refused, ProtocolError) as refusal:
            if not _is_about_the_job(refusal.failure):
                raise


def _is_about_the_job(failure: Failure) -> bool:
    """The form of a job id is not documented, so a 400 about our id proves as much as a 409 that does not know it."""
    return failure.tag in ABOUT_THE_JOB or (failure.status == 400 and "async_job_id" in failure.body)
