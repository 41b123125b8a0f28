"""F29: the audit trail edited, deleted, reordered and cut with SQL while its triggers are off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from samsaas.models import AuditSeal
from tests.samsaas.sealing.sealed_world import ENTRIES, SEALS, seal_in_steps, tamper, verified

pytestmark = [pytest.mark.fault, pytest.mark.django_db]
Numbers = list[list[int]]


def edit(numbers: Numbers) -> tuple[int, int | None]:
    tamper(f"UPDATE {ENTRIES} SET verb = 'looked' WHERE id = %s", numbers[1][1])
    return numbers[1][1], None


def delete(numbers: Numbers) -> tuple[int, int | None]:
    tamper(f"DELETE FROM {ENTRIES} WHERE id = %s", numbers[1][1])
    return numbers[1][1], None


def reorder(numbers: Numbers) -> tuple[int, int | None]:
    first, second = numbers[1][0], numbers[1][2]
    for number, into in ((first, -1), (second, first), (-1, second)):
        tamper(f"UPDATE {ENTRIES} SET id = %s WHERE id = %s", into, number)
    return first, None


def insert(numbers: Numbers) -> tuple[int, int | None]:
    tamper(
        f"INSERT INTO {ENTRIES} (id, at, actor_name, verb, object_type, object_id, object_name, detail)"
        " SELECT -7, at, actor_name, 'looked', object_type, object_id, object_name, detail"
        f" FROM {ENTRIES} WHERE id = %s",
        numbers[1][1],
    )
    return -7, None


def delete_seal(numbers: Numbers) -> tuple[int | None, int]:
    tamper(f"DELETE FROM {SEALS} WHERE number = 2")
    return None, 3


def cut(numbers: Numbers) -> tuple[int | None, int]:
    """Nothing but the seal that somebody kept elsewhere can show it."""
    tamper(f"DELETE FROM {SEALS} WHERE number = 3")
    tamper(f"DELETE FROM {ENTRIES} WHERE id >= %s", numbers[2][0])
    return None, 3


ATTACKS: tuple[Callable[[Numbers], Any], ...] = (edit, delete, reorder, insert, delete_seal, cut)


def test_what_was_done_to_the_trail_is_named(measured: Any) -> None:
    from django.db import transaction  # noqa: PLC0415 - Django is set up by now

    named = 0
    numbers = seal_in_steps(3, 3, 3)
    kept = AuditSeal.objects.get(number=3)
    assert verified(kept=(3, kept.hash)).is_sound
    for attack in ATTACKS:
        with transaction.atomic():
            entry, seal = attack(numbers)
            first = verified(kept=(3, kept.hash)).problems[0]
            named += first.entry == entry and (seal is None or first.seal == seal)
            transaction.set_rollback(True)
    measured(
        "F29",
        "entries edited, deleted, reordered, inserted; a seal deleted; the end cut",
        "first bad row named",
        named / len(ATTACKS) * 100,
        "= 100 %",
    )
