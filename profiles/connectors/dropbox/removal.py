"""Take members out of the team, bring them back, and hand over their files. Every call here but `ask` has an effect.

Source: `team.stone`, and the specification's notes in docs/refusals.md. Three arguments are always the same: a member's
account is not kept as a personal one, what is shared with it is not kept, and its files are never deleted for good.
"""

from __future__ import annotations

from typing import Any

import msgspec

from profiles.connectors.base import (
    AnswerLost,
    Effect,
    Failure,
    Refused,
    Removal,
    TryLater,
    UnreadableAnswer,
    plain,
)
from profiles.connectors.dropbox.client import REQUEST_ID_HEADER, DropboxClient
from profiles.connectors.dropbox.removal_tags import LOST_JOB
from profiles.connectors.transport import Answer

REMOVE = "team/members/remove"
RECOVER = "team/members/recover"
MOVE = "team/members/move_former_member_files"
JOBS = {"withdraw": "team/members/remove/job_status/get", "finish": f"{MOVE}/job_status/check"}
LONGEST_JOB = 1000

REMOVAL = Removal(
    frees_at="withdraw",
    undo_days=7,
    default_undo_days=7,
    needs_destination=True,
    warnings=(
        "A removed member is signed out of Dropbox on all devices at once and loses the membership of all groups.",
        "Dropbox restores a removed member for 7 days, and not after the files were moved. Whoever was invited and "
        "never joined cannot be restored.",
        "Dropbox moves the files of a member once, to one account that no other files are being moved to.",
        "A legal hold has to exist before the removal. Dropbox's API does not say who is under one.",
        "A free license saves money when the plan is renewed with fewer licenses.",
    ),
)


class _Launched(msgspec.Struct):
    """LaunchEmptyResult and PollEmptyResult. A failed job is no result; it is answered with status 409."""

    tag: str = msgspec.field(name=".tag")
    async_job_id: str = ""


def withdraw(client: DropboxClient, external_id: str, *, wipe: bool, destination: str, transfer_admin: str) -> Effect:
    """Remove a member; with a destination the files go there at once, and nothing can be undone.

    Dropbox's own default for `wipe_data` deletes files on the member's devices, so it is always sent.
    """
    if bool(destination) != bool(transfer_admin):
        raise Refused("A transfer of files needs both a destination and an admin who answers for it.")
    argument: dict[str, Any] = {"user": _user(external_id), "wipe_data": wipe, "keep_account": False}
    if destination:
        argument |= {"transfer_dest_id": _user(destination), "transfer_admin_id": _user(transfer_admin)}
    return client.call(REMOVE, argument, _read_launch)


def restore(client: DropboxClient, external_id: str) -> Effect:
    """Recover a removed member, for 7 days after the removal and before the files were moved."""
    return client.call(RECOVER, {"user": _user(external_id)}, _read_void)


def finish(client: DropboxClient, external_id: str, *, destination: str, transfer_admin: str) -> Effect:
    """Begin to move the files of a removed member. That the job is complete does not prove that all files arrived."""
    argument = {
        "user": _user(external_id),
        "transfer_dest_id": _user(destination),
        "transfer_admin_id": _user(transfer_admin),
    }
    return client.call(MOVE, argument, _read_launch)


def ask(client: DropboxClient, step: str, job: str) -> Effect:
    """How far a job is. Raises TryLater if it could not be asked, so that asking again is right.

    Raises AnswerLost if Dropbox does not know what became of the job: "verify that the action succeeded".
    """
    try:
        return client.call(JOBS[step], {"async_job_id": job}, lambda answer: _read_poll(answer, job))
    except Refused as refusal:
        if refusal.failure.tag in LOST_JOB:
            raise AnswerLost(str(refusal), failure=refusal.failure, remedy=refusal.remedy) from refusal
        raise
    except (AnswerLost, UnreadableAnswer) as error:
        raise _not_asked(str(error), error.failure) from error


def _not_asked(message: str, failure: Failure) -> TryLater:
    return TryLater(message, failure=failure, remedy="Nothing to do: the job is asked for again.")


def _user(external_id: str) -> dict[str, str]:
    return {".tag": "team_member_id", "team_member_id": external_id}


def _read_launch(answer: Answer) -> Effect:
    """Raises ValueError for any other answer, because then nobody knows what Dropbox began."""
    launched = _decode(answer)
    if launched.tag == "complete":
        return Effect(state="done", request_id=_request_id_of(answer))
    job = launched.async_job_id
    if launched.tag != "async_job_id" or not job or job != plain(job, LONGEST_JOB):
        raise ValueError("neither complete nor the id of a job")
    return Effect(state="working", job=job, request_id=_request_id_of(answer))


def _read_poll(answer: Answer, job: str) -> Effect:
    tag = _decode(answer).tag
    if tag not in ("complete", "in_progress"):
        raise ValueError("neither complete nor in progress")
    state = "done" if tag == "complete" else "working"
    return Effect(state=state, job="" if state == "done" else job, request_id=_request_id_of(answer))


def _read_void(answer: Answer) -> Effect:
    """Dropbox answers `null`. Anything else in JSON was not documented, but it is a success of Dropbox's API."""
    msgspec.json.decode(answer.body, type=msgspec.Raw)
    return Effect(state="done", request_id=_request_id_of(answer))


def _decode(answer: Answer) -> _Launched:
    """A union of tags. Dropbox's SDK also accepts a bare string in the place of an object that has only its tag."""
    found = msgspec.json.decode(answer.body)
    return msgspec.convert({".tag": found} if isinstance(found, str) else found, _Launched)


def _request_id_of(answer: Answer) -> str:
    return plain(answer.headers.get(REQUEST_ID_HEADER, ""), 200)
