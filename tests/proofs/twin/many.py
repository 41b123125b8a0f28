"""Many worlds, each in a transaction that is rolled back, on as many processes as are wanted."""

from __future__ import annotations

import logging
import multiprocessing
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor

from tests import migrated
from tests.proofs.twin.findings import Findings

CHUNK = 5


def play(seeds: Iterable[int], jobs: int) -> Iterator[Findings]:
    """The findings of each world, in the order of the seeds. A world that failed has its story in `failed`."""
    wanted = list(seeds)
    chunks = [wanted[at : at + CHUNK] for at in range(0, len(wanted), CHUNK)]
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=spawned, initializer=_open_database) as pool:
        for found in pool.map(_play_chunk, chunks):
            yield from found


def _open_database() -> None:
    """Set Django up, with a migrated database of this process's own."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django  # noqa: PLC0415 - each process sets Django up before anything of the product is read

    django.setup()
    from django.test.utils import setup_test_environment  # noqa: PLC0415

    setup_test_environment()
    logging.disable(logging.CRITICAL)
    migrated.open_for_process()


def _play_chunk(seeds: list[int]) -> list[Findings]:
    from django.contrib.auth.models import Group, User  # noqa: PLC0415
    from django.db import transaction  # noqa: PLC0415

    from tests.proofs.twin.story import Story  # noqa: PLC0415

    found = []
    for seed in seeds:
        with transaction.atomic():
            user = User.objects.create(username="integrator")
            user.groups.add(Group.objects.get(name="sam_integrator"))
            story = Story(seed, user)
            try:
                found.append(story.play())
            except Exception as error:
                found.append(story.fail(error))
            transaction.set_rollback(True)
    return found
