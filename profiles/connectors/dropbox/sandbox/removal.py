"""The calls that remove members, restore them, hand over their files and invite people: `team.stone` to the letter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from profiles.connectors.dropbox.sandbox import arguments
from profiles.connectors.dropbox.sandbox.arguments import Field
from profiles.connectors.dropbox.sandbox.calls import Call, Route
from profiles.connectors.dropbox.sandbox.effects import REMOVE, TRANSFER, Effects
from profiles.connectors.dropbox.sandbox.former import KEPT_FILES
from profiles.connectors.dropbox.sandbox.team import TEAM_ROLE, Member, status_of

COMPLETE = {".tag": "complete"}
# Dropbox puts a mark into the address of a removed member. How long an address may be for that is not documented.
LONGEST_ADDRESS = 240
MOST_INVITATIONS = 20


def remove(call: Call) -> Any:
    """MembersRemoveArg to LaunchEmptyResult. With a transfer it is always a job here; Dropbox says it may be one."""
    given, effects = call.argument, _effects(call)
    member = call.find(given["user"])
    if member is None:
        raise call.refuse("user_not_found")
    if status_of(member) == "removed":
        raise call.refuse(_tag_of_former(call, member) if given["permanently_delete_files"] else "user_not_in_team")
    _check_combination(call)
    recipient = _check_transfer(call, member) if given["transfer_dest_id"] else None
    _check_removable(call, member)
    if recipient is not None:
        _check_recipient_free(call, recipient)
    keeps, deletes = given["keep_account"], given["permanently_delete_files"]

    def act() -> None:
        if status_of(member) != "removed":
            effects.remove(member, keep_account=keeps, delete_files=deletes)
            if recipient is not None:
                effects.move_files(member, recipient)

    return _launch(call, REMOVE, act, always=recipient is not None)


def _effects(call: Call) -> Effects:
    return Effects(sandbox=call.sandbox, team=call.team, app_key=call.grant.app_key)


def _tag_of_former(call: Call, member: Member) -> str:
    """Why the files of somebody who was removed before cannot be deleted now."""
    removal = call.team.past.removal_of(member)
    if removal is None:
        return "user_not_in_team"
    if removal.is_moving(call.sandbox.now()):
        return "transfer_in_progress"
    if removal.recipient:
        return "already_transferred"
    return "already_transferred_or_deleted" if removal.deleted else "user_not_in_team"


def _check_combination(call: Call) -> None:
    given = call.argument
    keeps, transfers, deletes = given["keep_account"], given["transfer_dest_id"], given["permanently_delete_files"]
    wipes, shares = given["wipe_data"], given["retain_team_shares"]
    impossible = {
        "unspecified_transfer_admin_id": transfers and not given["transfer_admin_id"],
        "cannot_keep_account_and_transfer": keeps and transfers,
        "cannot_keep_account_and_delete_data": keeps and wipes,
        "cannot_keep_account_and_permanently_delete": keeps and deletes,
        "cannot_permanently_delete_and_transfer": deletes and transfers,
        "cannot_retain_shares_when_data_wiped": shares and wipes,
        "cannot_retain_shares_when_no_account_kept": shares and not keeps,
        # The policy `shared_folder_member_policy` of these teams allows members only.
        "cannot_retain_shares_when_team_external_sharing_off": shares,
    }
    for tag, wrong in impossible.items():
        if wrong:
            raise call.refuse(tag)


def _check_transfer(call: Call, member: Member) -> Member:
    """The member who is to receive the files."""
    recipient, admin = call.find(call.argument["transfer_dest_id"]), call.find(call.argument["transfer_admin_id"])
    for role, found in (("dest", recipient), ("admin", admin)):
        if found is None:
            raise call.refuse(f"transfer_{role}_user_not_found")
        if found is member:
            raise call.refuse(f"removed_and_transfer_{role}_should_differ")
        if status_of(found) == "removed":
            raise call.refuse(f"transfer_{role}_user_not_in_team")
    if recipient is None or admin is None or TEAM_ROLE not in admin["roles"]:
        raise call.refuse("transfer_admin_is_not_admin")
    if not recipient["profile"]["email_verified"]:
        raise call.refuse("recipient_not_verified")
    return recipient


def _check_recipient_free(call: Call, recipient: Member) -> None:
    """Dropbox Help: a recipient receives from one removed member at a time. That this tag says so is assumed."""
    if call.team.past.transfer_to(recipient, call.sandbox.now()):
        raise call.refuse("transfer_in_progress")


def _check_removable(call: Call, member: Member) -> None:
    if call.team.admins() == [member]:
        raise call.refuse("remove_last_admin")
    if call.team.past.transfer_to(member, call.sandbox.now()):
        raise call.refuse("member_is_transfer_destination")
    if call.argument["keep_account"] and status_of(member) == "invited":
        raise call.refuse("cannot_keep_invited_user_account")
    if len(member["profile"]["email"]) > LONGEST_ADDRESS:
        raise call.refuse("email_address_too_long_to_be_disabled")


def _launch(call: Call, kind: str, act: Callable[[], None], *, always: bool) -> Any:
    """LaunchEmptyResult: complete, or the id of a job."""
    work = call.sandbox.work
    if not work.polls or not (always or work.always_jobs):
        act()
        return COMPLETE
    job_id = work.begin(kind, call.team.team_id, call.sandbox.now(), act)
    return {".tag": "async_job_id", "async_job_id": job_id}


def recover(call: Call) -> Any:
    """MembersRecoverArg to nothing."""
    member, effects = call.find(call.argument["user"]), _effects(call)
    if member is None:
        raise call.refuse("user_not_found")
    if status_of(member) != "removed" or not effects.is_recoverable(member):
        raise call.refuse("user_unrecoverable")
    if _is_full(call):
        raise call.refuse("team_license_limit")
    effects.restore(member)
    return None


def _is_full(call: Call) -> bool:
    return int(call.team.info()["num_used_licenses"]) >= call.team.licensed


def move_former_member_files(call: Call) -> Any:
    """MembersDataTransferArg to LaunchEmptyResult. The transfer begins at once; the job says that it began."""
    member, effects = call.find(call.argument["user"]), _effects(call)
    if member is None:
        raise call.refuse("user_not_found")
    if status_of(member) != "removed":
        raise call.refuse("user_not_removed")
    recipient = _check_transfer(call, member)
    removal, now = call.team.past.removal_of(member), call.sandbox.now()
    if removal is not None and removal.is_moving(now):
        raise call.refuse("user_data_is_being_transferred")
    if removal is not None and removal.moved_at is not None:
        raise call.refuse("user_data_already_transferred")
    if removal is not None:
        never_joined = removal.was["status"][".tag"] == "invited"  # owns nothing; that this tag says so is assumed
        if removal.deleted or never_joined or removal.removed_at + KEPT_FILES < now:
            raise call.refuse("user_data_cannot_be_transferred")
    _check_recipient_free(call, recipient)
    effects.move_files(member, recipient)
    return _launch(call, TRANSFER, lambda: None, always=True)


def get_job_status(kind: str) -> Callable[[Call], Any]:
    """The poll route of one kind of job. A job of another kind or team is not known."""

    def answer(call: Call) -> Any:
        work = call.sandbox.work
        job = work.jobs.get(call.argument["async_job_id"])
        if job is None or (job.kind, job.team_id) != (kind, call.team.team_id):
            raise call.refuse("invalid_async_job_id")
        return COMPLETE if work.poll(job) else {".tag": "in_progress"}

    return answer


def add_members(call: Call) -> Any:
    """MembersAddV2Arg to MembersAddLaunchV2Result. Whoever can still be restored cannot be invited again."""
    return {".tag": "complete", "complete": [_add_member(call, one) for one in call.argument["new_members"]]}


def _add_member(call: Call, given: dict[str, Any]) -> dict[str, Any]:
    email, effects = given["member_email"], _effects(call)
    taken = [one for one in call.team.members if one["profile"]["email"].casefold() == email.casefold()]
    if any(status_of(one) != "removed" or effects.is_recoverable(one) for one in taken):
        return {".tag": "user_already_on_team", "user_already_on_team": email}
    if _is_full(call):
        return {".tag": "team_license_limit", "team_license_limit": email}
    return {".tag": "success", **effects.invite(email)}


def _invitations(value: Any) -> str:
    if not isinstance(value, list) or len(value) > MOST_INVITATIONS:
        return f"expected list of at most {MOST_INVITATIONS}"
    fine = all(isinstance(one, dict) and isinstance(one.get("member_email"), str) for one in value)
    return "" if fine else "missing field 'member_email'"


USER = {"user": Field(check=arguments.selector)}
REMOVE_FIELDS = {
    **USER,
    "wipe_data": Field(check=arguments.boolean, default=True),
    "transfer_dest_id": Field(check=arguments.optional_selector, default=None),
    "transfer_admin_id": Field(check=arguments.optional_selector, default=None),
    "keep_account": Field(check=arguments.boolean, default=False),
    "retain_team_shares": Field(check=arguments.boolean, default=False),
    "permanently_delete_files": Field(check=arguments.boolean, default=False),
}
MOVE_FIELDS = {
    **USER,
    "transfer_dest_id": Field(check=arguments.selector),
    "transfer_admin_id": Field(check=arguments.selector),
}
ADD_FIELDS = {
    "new_members": Field(check=_invitations),
    "force_async": Field(check=arguments.boolean, default=False),
}
JOB = {"async_job_id": Field(check=arguments.some_text)}
WRITE, DELETE = "members.write", "members.delete"

REMOVAL_ROUTES: dict[str, Route] = {
    "team/members/remove": Route(answer=remove, scope=DELETE, fields=REMOVE_FIELDS),
    "team/members/remove/job_status/get": Route(answer=get_job_status(REMOVE), scope=DELETE, fields=JOB),
    "team/members/recover": Route(answer=recover, scope=DELETE, fields=USER),
    "team/members/move_former_member_files": Route(answer=move_former_member_files, scope=WRITE, fields=MOVE_FIELDS),
    "team/members/move_former_member_files/job_status/check": Route(
        answer=get_job_status(TRANSFER), scope=WRITE, fields=JOB
    ),
    "team/members/add_v2": Route(answer=add_members, scope=WRITE, fields=ADD_FIELDS),
}
