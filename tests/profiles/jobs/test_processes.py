"""A process is declared once: one entry in its own app gives it a run page, its words and its place in the lists."""

from __future__ import annotations

from datetime import date
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from profiles import tasks
from profiles.jobs import execute, process, queue, start
from profiles.models import JobRun
from profiles.models.run import declared_processes
from tests import factories, pages, worlds

DRAWER = 7
KEY = "count_paper_clips"
pytestmark = pytest.mark.django_db


@pytest.fixture
def made_up(settings: Any) -> None:
    """The one change that a new app with a process makes outside its own folder."""
    settings.JOB_PROCESSES = [*settings.JOB_PROCESSES, "tests.made_up_app.processes.PROCESSES"]


def ask(subject: int = DRAWER, **more: Any) -> JobRun:
    run, fresh = queue.request(queue.Request(KEY, JobRun.Trigger.SCHEDULE, subject=subject, **more))
    assert run and fresh
    return run


def page_of(client: Any, run: JobRun) -> str:
    return pages.text_of(client.get(run.get_absolute_url()).content.decode())


def test_a_new_process_has_a_run_page_in_its_own_words(made_up: None, integrator: Any) -> None:
    run = ask()
    worlds.work()
    page = page_of(integrator, run)
    assert f"Count paper clips #{run.pk}" in page and "Every paper clip was counted." in page
    assert "Paper clips 42 of 42" in page and "In the drawer straight and bent ones 42" in page
    assert "Bent 2" in page and "Rusty" not in page


def test_it_is_listed_filtered_and_canceled_like_any_other(made_up: None, integrator: Any) -> None:
    run = ask()
    rows = pages.rows(integrator.get(f"/runs/?process={KEY}").content.decode(), "Number")
    assert list(rows) == [f"#{run.pk}"] and "Count paper clips" in " ".join(rows[f"#{run.pk}"])
    integrator.post(f"/runs/{run.pk}/cancel/")
    assert "The count was thrown into the bin." in page_of(integrator, run)
    again = integrator.post(f"/runs/{run.pk}/again/", follow=True).content.decode()
    assert "Paper clips are counted from the drawer." in again


def test_it_needs_no_migration(made_up: None) -> None:
    call_command("makemigrations", check=True, dry_run=True, stdout=StringIO())


def test_its_runs_go_one_at_a_time_by_their_subject(made_up: None) -> None:
    first, second = ask(1), ask(2)
    assert execute.claim(first.pk) and execute.claim(second.pk) is None


def test_two_beats_make_one_daily_run_of_it(made_up: None) -> None:
    today = queue.Request(KEY, JobRun.Trigger.SCHEDULE, subject=DRAWER, logical_date=date(2027, 3, 28))
    run, fresh = queue.request(today)
    assert run and fresh and queue.request(today) == (run, False)
    worlds.work()
    assert queue.request(today) == (None, False) and JobRun.objects.count() == 1


def test_a_worker_that_does_not_know_the_process_leaves_the_run_to_one_that_does(
    made_up: None, settings: Any, integrator: Any
) -> None:
    run = ask()
    known, settings.JOB_PROCESSES = settings.JOB_PROCESSES, settings.JOB_PROCESSES[:-1]
    tasks.execute(run.pk)
    run.refresh_from_db()
    assert run.state == JobRun.State.QUEUED and KEY in page_of(integrator, run)
    settings.JOB_PROCESSES = known
    tasks.execute(run.pk)
    run.refresh_from_db()
    assert run.state == JobRun.State.SUCCEEDED


@pytest.mark.parametrize("state", JobRun.State.values)
def test_a_run_of_another_version_has_a_page_in_every_state(integrator: Any, state: str) -> None:
    """The stand-in for its process makes no promise that only the process could keep."""
    run = factories.run(process="rewind_tapes", state=state, counters={"tapes_seen": 3}, items=3, expected_items=4)
    page = page_of(integrator, run)
    assert "rewind_tapes" in page and "Tapes seen 3" in page and "Nothing of it was stored" not in page
    assert start.refusal(factories.profile(), "rewind_tapes") == process.UNKNOWN
    assert execute.find_verb(run.pk) is None


def test_every_key_is_declared_once_and_every_entry_has_its_words() -> None:
    declared = declared_processes()
    keys = [entry.key for entry in declared]
    assert len(set(keys)) == len(keys)
    for entry in declared:
        assert entry.label and entry.unit and callable(entry.verb), entry.key
        assert all(counter.hidden or counter.label for counter in entry.counters.values()), entry.key
        assert entry.of_subject == bool(entry.start_elsewhere), entry.key


def test_what_belongs_to_a_subject_is_not_started_for_a_profile(made_up: None) -> None:
    assert start.refusal(factories.profile(), KEY) == "Paper clips are counted from the drawer."
