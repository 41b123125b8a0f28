"""Assign open candidates to an account, to a group, or to nobody. Their states do not change.

1. Lock each batch, and leave out what was closed meanwhile.
2. Write the new assignment, and a line in the audit trail for each candidate it changed.
3. Return what each was before, so that it can be undone (`restore`).

An account is added to the group that a candidate has; a group takes the place of account and group.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import F

from reclamation.models import RemovalCandidate
from samsaas import audit
from samsaas.lib.bulk import in_slices

BATCH = 500
UNDO = "samsaas_undo_assignment"  # key of the session
Before = tuple[int, int | None, int | None]  # candidate, account, group
Columns = dict[str, int | None]  # the account, and the group unless it stays as it is


@dataclass(frozen=True)
class Assignee:
    """To whom candidates are assigned. `key` is the value of the form."""

    key: str
    name: str
    user: User | None = None
    group: Group | None = None

    @property
    def columns(self) -> Columns:
        """What is written: the account alone, or both."""
        if self.user:
            return {"assigned_to_id": self.user.pk}
        return {"assigned_to_id": None, "assignment_group_id": self.group.pk if self.group else None}


NOBODY = Assignee("nobody", "nobody")


def run(keys: Sequence[int], columns: Columns, *, by: User) -> list[Before]:
    """Assign those of the candidates that are open. Returns what the ones that changed were before."""
    return [row for batch in in_slices(keys, BATCH) for row in _assign_batch(batch, columns, by)]


def restore(before: Sequence[Before], still: Columns, *, by: User) -> int:
    """Undo an assignment where it still is what it was made (`still`). Returns of how many candidates."""
    places = defaultdict(list)
    for pk, user_id, group_id in before:
        places[user_id, group_id].append(pk)
    users = set(User.objects.filter(pk__in={one for one, _ in places if one}).values_list("pk", flat=True))
    groups = set(Group.objects.filter(pk__in={one for _, one in places if one}).values_list("pk", flat=True))
    undone = 0
    for (user_id, group_id), keys in places.items():
        columns: Columns = {
            "assigned_to_id": user_id if user_id in users else None,
            "assignment_group_id": group_id if group_id in groups else None,
        }
        undone += len(_assign_batch(keys, columns, by, still))
    return undone


@transaction.atomic
def _assign_batch(keys: Sequence[int], columns: Columns, by: User, still: Columns | None = None) -> list[Before]:
    rows = RemovalCandidate.objects.filter(pk__in=keys).open().order_by("pk")
    named = rows.select_related("assigned_to", "assignment_group")
    found = list(named.filter(**still or {}).select_for_update(no_key=True, of=("self",)))
    keys = [one.pk for one in found]
    group_id = columns.get("assignment_group_id", F("assignment_group_id"))
    rows.filter(pk__in=keys).update(assigned_to_id=columns["assigned_to_id"], assignment_group_id=group_id)
    after = {one.pk: _assignment(one) for one in named.filter(pk__in=keys)}
    changed = [one for one in found if after[one.pk] != _assignment(one)]
    details = ({"before": _assignment(one), "after": after[one.pk]} for one in changed)
    audit.record_many(by, "assigned removal candidate", zip(changed, details, strict=True))
    return [(one.pk, one.assigned_to_id, one.assignment_group_id) for one in changed]


def _assignment(candidate: RemovalCandidate) -> str:
    """To whom it is assigned, in words."""
    user = candidate.assigned_to.get_username() if candidate.assigned_to else ""
    group = candidate.assignment_group.name if candidate.assignment_group else ""
    return ", ".join(filter(None, (user, group))) or "nobody"
