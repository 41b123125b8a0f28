"""Who may answer a question about a candidate. Nobody approves what they asked for, and nobody decides on themselves.

1. Where the rule says *manager*, the manager of the seat's user, if the directory ties them to an account.
2. Otherwise, and where there is no such manager, the rule's assignment group; *sam_admin* where it names none.
3. A group in which nobody could answer is stood in for by *sam_admin*.

Nobody is asked whose sight is limited to other profiles.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import Group, User
from django.db.models import Q, QuerySet

from profiles.sight.seen import blind_to
from reclamation import rules, workflow
from reclamation.asking import addressee, seat_user
from reclamation.models import Approval, ReclamationRule, RemovalCandidate
from reclamation.states import State
from samsaas import roles

NOT_YOURS = "This is not yours to answer."
ABOUT_YOU = "This is about your own subscription, so somebody else has to answer."
YOUR_REQUEST = "You asked for this removal, so somebody else has to approve it. You may still let the user keep it."
NOBODY = (
    "Nobody but you could approve this. Give a second person an account with the role sam_admin, "
    "or set the approver of the rule to none."
)
MOST_MAILS = 20
ACCOUNTS = User.objects.filter(is_active=True)


@dataclass(frozen=True)
class Asked:
    """To whom a question goes. `group` stands in for `user` if their account is closed."""

    user: User | None
    group: Group


def choose(candidate: RemovalCandidate) -> Asked:
    """Who is asked about a candidate."""
    rule = rules.settings_of(candidate)
    group = rule.assignment_group or sam_admins()
    barred = _barred(candidate)
    if not members(group).exclude(pk__in=barred).exists():
        group = sam_admins()
    user = None
    if rule.approver == ReclamationRule.Approver.MANAGER:
        manager = addressee.manager_of(candidate)
        user = manager.account if manager else None
        user = user if user and user.is_active and user.pk not in barred else None
    return Asked(user, group)


def is_lonely(candidate: RemovalCandidate, by: User) -> bool:
    """Whether nobody but the one who asks for the removal could approve it: to be said before the press."""
    asked = choose(candidate)
    barred = {by.pk, *_barred(candidate)}
    others = members(asked.group) | members(sam_admins())
    return not (asked.user and asked.user.pk not in barred) and not others.exclude(pk__in=barred).exists()


def refusal(approval: Approval, user: User, *, keeps: bool) -> str:
    """Why this account may not give this answer; empty if it may. `keeps`: with it the user keeps the seat."""
    candidate = approval.candidate
    if user.pk in _concerned(candidate):
        return ABOUT_YOU
    if not is_asked(approval, user):
        return NOT_YOURS
    return YOUR_REQUEST if not keeps and user.pk in requesters(candidate) else ""


def is_asked(approval: Approval, user: User) -> bool:
    """Whether a question goes to this account."""
    person = approval.asked_of_user
    if person is not None and person.is_active:
        return person.pk == user.pk
    group = approval.asked_of_group
    if group is None or not members(group).exists():
        group = sam_admins()
    return members(group).filter(pk=user.pk).exists()


def asked_of(user: User) -> Q:
    """For approvals: those that go to this account. The same as `is_asked`, in SQL."""
    held = roles.roles_of(user)
    groups = Group.objects.filter(Q(user=user) | Q(name__in=held))
    in_group = Q(asked_of_group__in=groups)
    if roles.SAM_ADMIN in held:
        deserted = Group.objects.exclude(name__in=roles.ROLES).exclude(user__in=ACCOUNTS)
        in_group |= Q(asked_of_group=None) | Q(asked_of_group__in=deserted)
    without = Q(asked_of_user=None) | Q(asked_of_user__is_active=False)
    return Q(asked_of_user=user) | (without & in_group)


def members(group: Group) -> QuerySet[User]:
    """Active accounts in a group. One of the roles has also those whose role includes it."""
    if group.name not in roles.ROLES:
        return ACCOUNTS.filter(groups=group)
    including = [name for name, included in roles.INCLUDES.items() if group.name in included]
    return ACCOUNTS.filter(Q(pk__in=ACCOUNTS.filter(groups__name__in=including)) | Q(is_superuser=True))


def sam_admins() -> Group:
    return Group.objects.get(name=roles.SAM_ADMIN)


def requesters(candidate: RemovalCandidate) -> set[int]:
    """Who asked for the removal: whoever pressed Reclaim, for the candidate itself or for its batch.

    Not the second person who let the batch go on: they may approve, since the request was another one's.
    """
    pressed = candidate.history.filter(from_state=State.READY, to_state__in=workflow.ASKED, by__isnull=False)
    found = set(pressed.values_list("by_id", flat=True))
    batch = candidate.batch
    if batch is None:
        return found
    return {pk for pk in (*(found - {batch.decided_by_id}), batch.requested_by_id) if pk}


def _barred(candidate: RemovalCandidate) -> set[int]:
    """Who is not asked: those it concerns, those who asked for it, and those who may not see its profile."""
    return {*requesters(candidate), *_concerned(candidate), *blind_to(candidate.profile_id)}


def _concerned(candidate: RemovalCandidate) -> set[int]:
    """The account of the seat's user."""
    person = seat_user.person_of(candidate)
    return {person.account_id} if person is not None and person.account_id else set()


def to_write_to(asked: Asked, candidate: RemovalCandidate) -> list[User]:
    """The accounts with an address that are told of a question."""
    found = [asked.user] if asked.user else list(members(asked.group).order_by("pk")[:MOST_MAILS])
    barred = _barred(candidate)
    return [user for user in found if user.email and user.pk not in barred]
