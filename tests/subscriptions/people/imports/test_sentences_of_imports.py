"""What the pages say of an import and of its lines."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from profiles.models import JobRun
from subscriptions.models import PersonImport, PersonImportRow
from subscriptions.templatetags.people_import import (
    import_applied,
    import_effect,
    import_history,
    import_state,
    long_text,
)
from tests import pages

pytestmark = pytest.mark.one_database

BUSY, OVER = JobRun(state="running"), JobRun(state="failed")


@pytest.mark.parametrize(
    ("state", "run", "look", "words"),
    [
        ("preview", OVER, "warn", "To be confirmed"),
        ("applying", OVER, "warn", "To be confirmed"),
        ("reading", OVER, "bad", "Not read"),
        ("reading", BUSY, "info", "Being read"),
        ("applying", BUSY, "info", "Being applied"),
        ("unreadable", OVER, "bad", "Cannot be read"),
        ("applied", OVER, "good", "Applied"),
    ],
)
def test_an_import_shows_the_state_of_its_job_and_then_of_its_file(
    state: str, run: JobRun, look: str, words: str
) -> None:
    shown = import_state(PersonImport(state=state, run=run))
    assert f"pill-{look}" in shown and pages.text_of(shown) == words


def test_an_import_says_when_it_came_from_whom_and_when_it_was_applied() -> None:
    came = timezone.now() - timedelta(hours=2)
    nobody = PersonImport(uploaded_at=came)
    assert pages.text_of(import_history(nobody)) == "Uploaded 2 hours ago ."
    ann = PersonImport(uploaded_at=came, uploaded_by=User(username="<ann>"), applied_at=came + timedelta(hours=1))
    assert pages.text_of(import_history(ann)) == "Uploaded 2 hours ago by &lt;ann&gt;, applied 1 hour ago ."


def test_an_import_nobody_wanted_looks_idle() -> None:
    assert "pill-idle" in import_state(PersonImport(state="discarded"))


@pytest.mark.parametrize(
    ("effect", "look", "word"),
    [
        ("new", "good", "New"),
        ("changed", "info", "Changed"),
        ("back", "warn", "Returned"),
        ("same", "idle", "Unchanged"),
        ("refused", "bad", "Refused"),
    ],
)
def test_a_line_shows_what_it_would_do(effect: str, look: str, word: str) -> None:
    shown = import_effect(PersonImportRow(effect=effect))
    assert f"pill-{look}" in shown and pages.text_of(shown) == word


def test_a_longer_text_shows_its_beginning_and_opens() -> None:
    assert long_text("<b>", 3) == "<bdi>&lt;b&gt;</bdi>"
    opens = '<details class="long"><summary><bdi>12…</bdi></summary><bdi>1234</bdi></details>'
    assert long_text("1234", 3) == opens


@pytest.mark.parametrize(
    ("counters", "sentence"),
    [
        ({}, "0 people added, 0 changed, 0 marked as leavers."),
        ({"new": 1, "leavers": 1}, "1 person added, 0 changed, 1 marked as a leaver."),
        ({"new": 1500, "changed": 2, "back": 3}, "1,500 people added, 2 changed, 3 returned, 0 marked as leavers."),
    ],
)
def test_an_applied_file_says_what_it_has_done(counters: dict[str, Any], sentence: str) -> None:
    assert import_applied(PersonImport(counters=counters)) == sentence
