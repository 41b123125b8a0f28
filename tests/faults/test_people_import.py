"""Importing people while workers die: every line is applied once or not at all, and the file is never lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now

from profiles import tasks
from profiles.jobs import queue
from profiles.models import JobRun
from subscriptions.models import Person, PersonImport, PersonImportPiece
from subscriptions.people.imports import apply as apply_people, differences as people_differences, read as stage_people
from tests import worlds
from tests.faults.crowd import at_once
from tests.subscriptions.people.people_world import crowd, effects, listing, press, staged, uploaded

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]
ROOT = Path(__file__).parents[2]
LINES, BATCH = 40, 10
# A worker that tells when it is in the middle of its transaction, and stays there.
WORKER = """
import sys, time, django
django.setup()
from profiles import tasks
from subscriptions.people.imports import apply as apply_people, differences as people_differences
people_differences.BATCH, write, done = 10, apply_people._write_people, []
def stay(steps, now, today):
    write(steps, now, today)
    done.append(steps)
    if len(done) == 2:
        print("in the middle", flush=True)
        time.sleep(60)
apply_people._write_people = stay
tasks.execute(int(sys.argv[1]))
"""


class Killed(BaseException):
    """What kill -9 does to the work of a process: nothing below catches it, no end is stored."""


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("profiles.jobs.queue.ring", lambda run: None)
    monkeypatch.setattr(people_differences, "BATCH", BATCH)


@pytest.fixture
def keeper(signed_in: Any) -> Any:
    return signed_in("sam_admin")


def dies_at(place: int, act: Callable[..., Any]) -> Callable[..., Any]:
    """`act`, but the process ends when it is called for the `place`th time."""
    calls: list[int] = []

    def call(*given: Any, **named: Any) -> Any:
        calls.append(1)
        if len(calls) == place:
            raise Killed
        return act(*given, **named)

    return call


def death(run: JobRun | None) -> None:
    """A worker takes the run and dies of it."""
    assert run
    with pytest.raises(Killed):
        tasks.execute(run.pk)
    assert JobRun.objects.get(pk=run.pk).state == "running"


def replaced() -> None:
    """The minute of silence is over; the sweeper gives the run to another worker."""
    JobRun.objects.filter(state="running").update(heartbeat_at=Now() - timedelta(seconds=61))
    assert queue.sweep()["lost"] == 1
    worlds.work()


def wrong_people() -> int:
    """People who are missing, too many, or not as the file has them."""
    expected = Counter((f"P{place:05}", f"Person {place}") for place in range(LINES))
    found = Counter(Person.objects.values_list("key", "name"))
    return sum(((expected - found) + (found - expected)).values())


def test_a_worker_that_dies_at_any_batch_of_the_reading_loses_nothing(
    keeper: Any, measured: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = 0
    places = LINES // BATCH + 1
    for place in range(1, places + 1):
        upload = uploaded(listing(range(LINES)), keeper.user)
        with monkeypatch.context() as patched:
            if place < places:
                patched.setattr(stage_people, "_compare_records", dies_at(place, stage_people._compare_records))
            else:
                patched.setattr(people_differences, "count_figures", dies_at(1, people_differences.count_figures))
            death(upload.run)
        assert upload.pieces.exists() and upload.rows.count() == BATCH * min(place - 1, LINES // BATCH)
        replaced()
        upload.refresh_from_db()
        assert upload.state == "preview" and not upload.pieces.exists()
        wrong += LINES - list(effects(upload).values()).count("new") + abs(LINES - upload.rows.count())
    measured("F30", f"a worker dies at each of {places} steps of reading people", "lines lost or doubled", wrong)


def test_a_worker_that_dies_at_any_step_of_applying_applies_nothing_and_its_successor_all(
    keeper: Any, measured: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    half = wrong = 0
    steps = [(apply_people, "_write_people", place) for place in range(1, LINES // BATCH + 1)]
    steps += [(apply_people.rematch, "ask_everywhere", 1), (apply_people.audit, "record", 1)]
    for module, name, place in steps:
        Person.objects.all().delete()
        upload = staged(listing(range(LINES)), keeper.user)
        keeper.post(f"{upload.get_absolute_url()}apply/")
        upload.refresh_from_db()
        with monkeypatch.context() as patched:
            patched.setattr(module, name, dies_at(place, getattr(module, name)))
            death(upload.run)
        half += Person.objects.count()
        replaced()
        upload.refresh_from_db()
        assert (upload.state, upload.run and upload.run.attempts) == ("applied", 2)
        wrong += wrong_people()
    injected = f"a worker dies at each of {len(steps)} steps of applying people"
    measured("F30", injected, "people of a half-applied file", half)
    measured("F30", injected, "people wrong after its successor", wrong)


def test_kill_9_in_the_middle_of_applying_leaves_the_directory_as_it_was(keeper: Any, measured: Any) -> None:
    crowd(5)
    Person.objects.update(name="Before")
    upload = staged(listing(range(LINES)), keeper.user)
    keeper.post(f"{upload.get_absolute_url()}apply/")
    upload.refresh_from_db()
    worker = another_process(upload.run_id or 0)
    assert worker.stdout and worker.stdout.readline().strip() == b"in the middle"
    page = keeper.get(upload.get_absolute_url()).content.decode()
    assert "The file is being applied" in page, "the pages go on meanwhile"
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    worker.stdout.close()
    touched = Person.objects.exclude(name="Before").count()
    replaced()
    assert PersonImport.objects.get().state == "applied"
    measured("F30", "kill -9 of a process that applies people", "people of a half-applied file", touched)
    measured("F30", "kill -9 of a process that applies people", "people wrong after its successor", wrong_people())


def another_process(run_id: int) -> subprocess.Popen[bytes]:
    """A worker of its own on this test's database."""
    database = connection.settings_dict
    server = f"postgres://{database.get('USER')}@{database.get('HOST')}:{database.get('PORT')}/{database['NAME']}"
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "samsaas.settings",
        "DATABASE_URL": f"sqlite:///{database['NAME']}" if connection.vendor == "sqlite" else server,
    }
    command = [sys.executable, "-c", WORKER, str(run_id)]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE)


def test_two_admins_and_doubled_clicks_and_messages_apply_a_file_once(keeper: Any, account: Any, measured: Any) -> None:
    upload = staged(listing(range(LINES)), keeper.user)
    other = type(keeper)()
    other.force_login(account("sam_admin", username="other"))
    address = f"{upload.get_absolute_url()}apply/"
    answers = at_once(10, lambda: (keeper.post(address).status_code, other.post(address).status_code))
    assert {code for pair in answers for code in pair} == {302}
    asked = JobRun.objects.filter(state="queued", subject=upload.pk)
    assert asked.count() == 1
    run = asked.get().pk
    assert at_once(5, lambda: tasks.execute(run)) == [None] * 5
    upload.refresh_from_db()
    assert upload.state == "applied" and upload.run_id == run
    measured("F34", "20 clicks on Apply by two people, 5 messages", "people wrong or doubled", wrong_people())


def test_a_worker_that_was_given_up_cannot_apply_what_its_successor_has_to(
    keeper: Any, measured: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Silent for too long in the middle of the file, it loses its run there; what it wrote is undone."""
    upload = staged(listing(range(LINES)), keeper.user)
    keeper.post(f"{upload.get_absolute_url()}apply/")
    upload.refresh_from_db()
    with monkeypatch.context() as patched:
        write = apply_people._write_people

        def overtaken(*given: Any) -> None:
            write(*given)
            JobRun.objects.filter(pk=upload.run_id).update(generation=99)

        patched.setattr(apply_people, "_write_people", overtaken)
        worlds.work()
    assert not Person.objects.exists()
    measured("F31", "a worker loses its run while it applies people", "people it has written", Person.objects.count())


@pytest.mark.parametrize("moment", ["queued", "reading"])
def test_a_file_thrown_away_while_it_waits_or_is_read_leaves_no_personal_data(
    keeper: Any, measured: Any, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    upload = uploaded(listing(range(LINES)), keeper.user)
    if moment == "reading":
        rows = stage_people._compare_records

        def meanwhile(*given: Any) -> Any:
            if stage_people.PersonImportRow.objects.count() == BATCH:
                press_away(keeper, upload)
            return rows(*given)

        monkeypatch.setattr(stage_people, "_compare_records", meanwhile)
    else:
        press_away(keeper, upload)
    worlds.work()
    upload.refresh_from_db()
    assert upload.state == "discarded" and upload.run and upload.run.state == "canceled"
    left = upload.rows.count() + PersonImportPiece.objects.count()
    measured("F31", f"a file discarded while it is {moment}", "lines and pieces that stay", left)


def press_away(keeper: Any, upload: PersonImport) -> None:
    assert keeper.post(f"{upload.get_absolute_url()}discard/").status_code == 302


def test_a_file_that_takes_its_worker_down_each_time_can_be_read_again_or_thrown_away(
    keeper: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = uploaded(listing(range(LINES)), keeper.user)
    with monkeypatch.context() as patched:
        patched.setattr(stage_people, "_show_preview", dies_at(1, stage_people._show_preview))
        death(upload.run)
        for _ in range(queue.MAX_ATTEMPTS - 1):
            JobRun.objects.update(heartbeat_at=Now() - timedelta(seconds=61))
            queue.sweep()
            patched.setattr(stage_people, "_show_preview", dies_at(1, stage_people._show_preview))
            death(upload.run)
        JobRun.objects.update(heartbeat_at=Now() - timedelta(seconds=61))
        queue.sweep()
    page = keeper.get(upload.get_absolute_url()).content.decode()
    assert "The file was not read to its end" in page and "The worker was lost 3 times" in page
    assert "To be confirmed" not in page and "Apply" not in page
    assert "Apply this file?" in press(keeper, upload, "read")
