"""Guards that judge what the vendor says of the member now."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from profiles.connectors import base
from reclamation.removal.gate.answers import (
    ATTENTION,
    CANCELED,
    ELSEWHERE,
    SKIPPED,
    GateGuard,
    GuardAnswer,
    failed,
    passed,
    unknown,
)
from reclamation.removal.gate.case import INVITED, SUSPENDED, Case
from reclamation.removal.gate.stored import WAIVED, is_approved

OVER = {INVITED: "The invitation was accepted.", SUSPENDED: "The suspension was lifted."}
NOT_ASKED = "The vendor was not asked."
LAST_FULL_ADMIN = (
    "It is the only administrator with full rights that the vendor lists, and the vendor does not remove the last one. "
    "Give somebody else full rights first, and let the list be refreshed."
)
KNOWN = ("active", INVITED, SUSPENDED)


def member(case: Case) -> GuardAnswer:
    if case.asked is None:
        return unknown(NOT_ASKED)
    look = case.asked.look
    if look.external_id != case.attempt.external_id:
        return failed("The vendor answered about another account.", ATTENTION)
    if look.state in ("withdrawn", "gone"):
        return failed("It was removed already.", ELSEWHERE)
    if look.state != "present" or look.seat is None or look.seat.status not in KNOWN:
        return unknown("The vendor calls its status by a word that this version does not know.", ATTENTION)
    return _judge_status(case, look.seat.status)


def _judge_status(case: Case, status: str) -> GuardAnswer:
    before = case.seat.status if case.seat is not None else ""
    opened_as = case.candidate.status_at_opening
    if status == "active":
        for reason, over in OVER.items():
            if reason in (case.candidate.reason, before, opened_as):
                return failed(over, CANCELED)
        return passed("Active.", request_id=case.asked.look.request_id if case.asked else "")
    if case.candidate.reason in OVER and status != case.candidate.reason:
        return failed(f"Its status changed to {status}.", ATTENTION)
    if status not in (before, opened_as):
        return failed(f"Its status changed to {status}.", ATTENTION)
    return passed(f"{status.capitalize()}.", request_id=case.asked.look.request_id if case.asked else "")


def role(case: Case) -> GuardAnswer:
    seat = case.asked.look.seat if case.asked else None
    if seat is None:
        return unknown(NOT_ASKED)
    now = sorted(seat.roles)
    before = approved_roles(case.attempt.gate_at_approval)
    if before is not None and now != before:
        return failed("Its role at the vendor changed since the approval.", SKIPPED)
    if not seat.is_admin:
        return passed("No administrative role.", roles=now)
    if is_last_full_admin(case):
        return failed(LAST_FULL_ADMIN, ATTENTION)
    if case.by_hand and case.batch and case.batch.admin_checked and is_approved(case.batch):
        return passed("An administrator, which two persons confirmed.", roles=now)
    return failed("It has an administrative role.", SKIPPED)


def is_last_full_admin(case: Case) -> bool:
    """Whether nobody else is listed with full rights. The vendor would refuse to remove this one."""
    seat = case.asked.look.seat if case.asked else None
    return bool(seat and seat.is_full_admin) and not case.team.full_admins - {case.attempt.external_id}


def approved_roles(answers: list[dict[str, Any]]) -> list[str] | None:
    """The roles that the first gate saw; None where it did not."""
    found = [answer.get("roles") for answer in answers if answer["guard"] == "role"]
    return found[0] if found else None


def still_idle(case: Case) -> GuardAnswer:
    if not case.use_matters:
        return passed(WAIVED)
    if case.asked is None:
        return unknown(NOT_ASKED)
    if case.asked.used_at is not None:
        used = f"Used on {timezone.localtime(case.asked.used_at):%-d %b %Y} ({case.asked.used_kind})."
        return failed(used, ATTENTION if case.is_leaver else CANCELED)
    if case.asked.unread:
        return unknown(case.asked.unread)
    if case.asked.use_later:
        return passed("No use is stored. The vendor’s log is asked right before the call.")
    if not case.asked.use_asked:
        return passed("It has no account yet that could be used.")
    return passed(f"The vendor’s log has no use since {timezone.localtime(case.since):%-d %b %Y}.")


def came_back(case: Case) -> GuardAnswer:
    """A member that was restored or joined again meanwhile is never removed on the old decision."""
    if case.asked is None:
        return unknown(NOT_ASKED)
    if case.asked.came_back:
        return failed("It was restored at the vendor, or joined again, meanwhile.", SKIPPED)
    if case.asked.back_later:
        return passed("The vendor’s log is asked right before the call.")
    return passed("It did not come back meanwhile.")


def destination(case: Case) -> GuardAnswer:
    """Asked where the files go at once. Otherwise the same is asked before the move."""
    if case.rule.undo_days or case.is_invitation:
        return passed("Asked before the files are moved.")
    if case.asked is None:
        return unknown(NOT_ASKED, ATTENTION)
    problem = destination_problem(case, case.asked.others)
    return failed(problem, ATTENTION) if problem else passed("The account that receives the files is active.")


def destination_problem(case: Case, looks: Any) -> str:
    """Why the files cannot go where they should; empty where they can."""
    to, admin = case.where_to.external_id, case.where_to.transfer_admin
    if not to or not admin:
        return "Nobody is known who could receive the files."
    if case.attempt.external_id in (to, admin):
        return "The files would go to the account that is removed."
    if to in case.team.destinations_that_are_candidates:
        return "The account that would receive the files is a removal candidate itself."
    return receiver_problem(looks.get(to)) or admin_problem(looks.get(admin))


def receiver_problem(look: base.Look | None) -> str:
    """Why this account cannot receive files; empty where it can."""
    seat = look.seat if look else None
    if look is None or look.state != "present" or seat is None or seat.status != "active":
        return "The account that would receive the files is not an active member."
    return "" if seat.email_verified else "The address of the account that would receive the files is not verified."


def admin_problem(look: base.Look | None) -> str:
    """Why this account cannot be the administrator of a transfer; empty where it can."""
    seat = look.seat if look else None
    if look is None or look.state != "present" or seat is None or not seat.is_admin:
        return "The administrator of the transfer is no team administrator any more."
    return ""


GUARDS = (
    GateGuard("member", "Member", member),
    GateGuard("role", "Role", role),
    GateGuard("still_idle", "Still idle", still_idle),
    GateGuard("came_back", "Came back", came_back),
    GateGuard("destination", "Files", destination),
)
