"""What stands where a scheduled job has its next run."""

from __future__ import annotations

from typing import Any

import pytest

from samsaas.templatetags.jobs import next_start
from tests import factories, pages

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("status", "paused", "said", "words"),
    [
        ("published", True, {}, "Paused"),
        ("draft", False, {}, "Once the profile is validated"),
        ("published", False, {"connected": False}, "Once it is authorized"),
        ("published", False, {"leads": False}, "After the download"),
    ],
)
def test_a_job_that_does_not_start_by_the_clock_says_what_comes_first(
    status: str, paused: bool, said: dict[str, Any], words: str
) -> None:
    job = factories.profile(status=status).scheduled_jobs.create(process="download_subscriptions", paused=paused)
    assert pages.text_of(next_start(job, **said)) == words


def test_a_job_with_a_time_names_it_with_its_zone() -> None:
    job = factories.profile(status="published").scheduled_jobs.create(process="download_subscriptions")
    assert "<time datetime=" in next_start(job) and str(job.local_zone) in next_start(job)
