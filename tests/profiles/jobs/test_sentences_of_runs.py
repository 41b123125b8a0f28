"""What the pages say of a job run, sentence by sentence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from profiles.models import JobRun
from profiles.templatetags.runs import run_chain, run_doing, run_items
from tests import factories, pages

pytestmark = pytest.mark.one_database

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)


def a_run(process: str = "download_subscriptions", **fields: Any) -> JobRun:
    return JobRun(process=process, **fields)


@pytest.mark.parametrize(
    ("run", "sentence"),
    [
        (a_run("download_subscriptions"), "The new list is published."),
        (a_run("pull_activity"), "The activity is read to its end."),
        (a_run("match_people"), "Every subscription was matched by the active rules."),
        (a_run("validate_connection"), "Every enabled process can do its work."),
        (a_run("import_people", counters={"lines": 3}), "The file was read into a preview."),
        (a_run("import_people", counters={"added": 3}), "The file was applied."),
    ],
    ids=lambda value: value.process if isinstance(value, JobRun) else "",
)
def test_success_is_told_in_the_words_of_the_process(run: JobRun, sentence: str) -> None:
    assert run.declared.describe_success(run) == sentence


@pytest.mark.parametrize(
    ("process", "sentence"),
    [
        ("download_subscriptions", "Nothing of it was published; the previous list stays as it is."),
        ("import_people", "Nothing was applied; the directory is as it was."),
        ("pull_activity", "What was stored before stays; the next run goes on from there."),
        ("match_people", "Nothing of it was stored; everything is as it was before."),
    ],
)
def test_a_canceled_run_says_what_it_leaves_behind(process: str, sentence: str) -> None:
    assert a_run(process).declared.canceled_text == sentence


@pytest.mark.parametrize(
    ("fields", "coming", "sentence"),
    [
        ({"state": "queued"}, "", "Waiting for its turn"),
        ({"state": "queued", "step": "Waiting", "not_before": NOW}, "", "Waiting 24 Nov 2026, 10:00"),
        ({"state": "succeeded"}, "Match <people>", "Next: Match &lt;people&gt;"),
        (
            {"state": "running", "step": "Reading", "started_at": NOW - timedelta(seconds=65)},
            "",
            "Reading, for 1 min 05 s",
        ),
    ],
)
def test_who_watches_a_run_reads_what_goes_on(fields: dict[str, Any], coming: str, sentence: str) -> None:
    with time_machine.travel(NOW, tick=False):
        assert pages.text_of(run_doing(a_run(**fields), coming)) == sentence


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (a_run(items=1200), "1,200"),
        (a_run(items=1200, expected_items=5000), "1,200 of 5,000 expected"),
        (a_run(items=2500, expected_items=2399), "2,500"),
        (a_run(items=5000, expected_items=5000, state="succeeded"), "5,000"),
        (a_run("import_people", items=7, expected_items=9), "7 of 9"),
    ],
    ids=("open end", "an estimate", "more than estimated", "the end", "counted here"),
)
def test_progress_says_of_how_many(run: JobRun, words: str) -> None:
    assert run_items(run) == words


CHAINED = {"in_chain": True, "state": "succeeded"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("has_before", "has_follower", "fields", "coming", "sentence"),
    [
        (True, False, CHAINED, "", "After Download subscriptions #1"),
        (False, True, CHAINED, "", "Followed by Pull user activity #3 Queued"),
        (True, True, CHAINED, "", "After Download subscriptions #1 ; followed by Pull user activity #3 Queued"),
        (False, False, CHAINED, "Match people", "Next: Match people, in a moment"),
        (True, False, CHAINED, "<b>", "After Download subscriptions #1 ; next: &lt;b&gt;, in a moment"),
        (False, False, CHAINED | {"state": "failed"}, "", "The next step follows only its success"),
        (
            True,
            False,
            CHAINED | {"state": "running"},
            "",
            "After Download subscriptions #1 ; the next step follows only its success",
        ),
        (False, False, CHAINED, "", ""),
    ],
)
def test_a_run_stands_in_its_chain_as_one_sentence(
    has_before: bool, has_follower: bool, fields: dict[str, Any], coming: str, sentence: str
) -> None:
    before = factories.run(pk=1, process="download_subscriptions") if has_before else None
    run = factories.run(pk=2, process="match_people", after=before, **fields)
    if has_follower:
        factories.run(pk=3, process="pull_activity", state="queued", after=run)
    run.refresh_from_db()
    assert pages.text_of(run_chain(run, coming)) == sentence
