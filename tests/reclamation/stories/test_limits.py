"""The ceiling of a team: so many removals in seven days, and none more, whoever asks, by hand and automatic."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from profiles.jobs import execute, queue
from profiles.models import IntegrationProfile, JobRun
from reclamation import find_candidates
from reclamation.models import Approval, RemovalAttempt, RemovalBatch
from reclamation.removal import limits
from reclamation.rules import versions
from reclamation.states import State

pytestmark = pytest.mark.one_database

Attempt = RemovalAttempt.State
CEILING = 4


@pytest.fixture
def small(house: Any) -> Any:
    """20 licenses: one removal without a second person, four in seven days."""
    IntegrationProfile.objects.update(licenses_reported=20)
    house.profile.refresh_from_db()
    return house


def reclaim(house: Any, *candidates: Any) -> RemovalBatch | None:
    """Press Reclaim, and let the second person agree where one is needed. None if it was refused."""
    before = RemovalBatch.objects.count()
    house.reclaim(*candidates, typed=str(len(candidates)))
    if RemovalBatch.objects.count() == before:
        return None
    batch = RemovalBatch.objects.latest("pk")
    if batch.state == RemovalBatch.State.QUARANTINED:
        house.post(f"/removal-batches/{batch.pk}/decide/", house.bob, approve="yes")
    house.go_on()
    return batch


def removed(house: Any) -> int:
    return sum(count for (what, _), count in house.times_done().items() if what == "remove")


def test_above_the_ceiling_even_two_persons_get_nothing_and_the_page_says_what_fits(small: Any) -> None:
    candidates = small.candidates(small.rule(), 5)
    said = small.page("/removal-batches/new/?" + "&".join(f"candidate={one.pk}" for one in candidates))
    assert "Too many for this team" in said and "4 are possible now" in said
    assert reclaim(small, *candidates) is None and removed(small) == 0
    assert reclaim(small, *candidates[:4]) and removed(small) == 4


def test_after_24_hours_the_ceiling_still_holds_and_after_seven_days_it_is_free(small: Any) -> None:
    candidates = small.candidates(small.rule(), 6)
    assert reclaim(small, *candidates[:4]) and removed(small) == CEILING
    for days in (1.1, 5.8):
        small.pass_days(days)
        assert "All of them are possible from 17 Mar 2027" in small.reclaim(candidates[4])
        assert RemovalBatch.objects.count() == 1
    small.pass_days(0.2)
    assert reclaim(small, candidates[4]) and removed(small) == CEILING + 1


def test_split_over_days_and_persons_no_more_are_removed_than_the_ceiling(small: Any) -> None:
    """One each day. The fifth fits when the first was seven days ago, the sixth when the second was."""
    candidates = small.candidates(small.rule(), 6)
    for candidate in candidates[:CEILING]:
        assert reclaim(small, candidate)
        small.pass_days(1)
    assert reclaim(small, candidates[4]) is None
    small.pass_days(3)
    assert reclaim(small, candidates[4]) and removed(small) == 5
    assert reclaim(small, candidates[5]) is None
    small.pass_days(1)
    assert reclaim(small, candidates[5]) and removed(small) == 6


def test_restored_members_count_as_removals(small: Any) -> None:
    candidates = small.candidates(small.rule(), 5)
    reclaim(small, *candidates[:4])
    for one in candidates[:4]:
        small.post(f"/removals/{small.attempt(one).pk}/restore/", small.ann)
    small.go_on()
    assert small.times_done()["recover", candidates[0].external_id] == 1
    assert reclaim(small, candidates[4]) is None


def test_two_batches_that_fit_each_stop_at_the_ceiling_together(small: Any) -> None:
    """Both were approved before anybody was removed. What is too much waits for another decision."""
    candidates = small.candidates(small.rule(), 6)
    batches = []
    for some in (candidates[:3], candidates[3:]):
        small.reclaim(*some, typed="3")
        batches.append(RemovalBatch.objects.latest("pk"))
    for batch in batches:
        small.post(f"/removal-batches/{batch.pk}/decide/", small.bob, approve="yes")
    small.go_on(5)
    assert removed(small) == CEILING
    waiting = [one for one in candidates if small.state(one)[1] == Attempt.GATED]
    assert len(waiting) == 2 and all("limit" in one.hold_text for one in waiting)
    batches[1].refresh_from_db()
    assert batches[1].state == RemovalBatch.State.QUARANTINED
    said = small.post(f"/removal-batches/{batches[1].pk}/decide/", small.bob, approve="yes")
    assert "0 are possible now" in said and removed(small) == CEILING


def automatic(house: Any, count: int, **fields: Any) -> list[Any]:
    """A rule in mode automatic whose candidates have been known for two days."""
    rule = house.rule(mode="automatic", notify_user=False, approver="group", **fields)
    versions.add_version(rule, by=None, now=timezone.now(), legal_hold_checked=True)
    found = house.candidates(rule, count)
    for one in found:
        type(one).objects.filter(pk=one.pk).update(
            opened_at=timezone.now() - timedelta(days=2), rule_version=rule.versions.get()
        )
    return list(found)


def find(house: Any) -> JobRun:
    run, _ = queue.request(queue.Request(find_candidates.FIND, JobRun.Trigger.SCHEDULE, profile=house.profile))
    assert run
    execute.run(run.pk, find_candidates.run)
    run.refresh_from_db()
    assert run.state == JobRun.State.SUCCEEDED, run.error_message
    return run


def test_a_find_in_mode_automatic_takes_what_fits_below_the_ceiling_and_says_what_waits(small: Any) -> None:
    candidates = automatic(small, 6)
    run = find(small)
    batch = RemovalBatch.objects.get()
    assert (batch.size, batch.requested_by, batch.state) == (4, None, RemovalBatch.State.QUARANTINED)
    assert "2 candidates wait" in " ".join(run.warnings)
    assert "2 candidates wait" in small.page(small.profile.get_absolute_url())
    small.go_on()
    assert removed(small) == 0, "above the quota nothing happens without a person"
    states = [small.state(one)[0] for one in candidates]
    assert states == [State.READY] * 6
    small.post(f"/removal-batches/{batch.pk}/decide/", small.bob, approve="yes")
    answer_approvals(small)
    small.go_on()
    assert removed(small) == CEILING
    small.pass_days(1)
    run = find(small)
    assert RemovalBatch.objects.count() == 1 and "more from" in " ".join(run.warnings)
    small.pass_days(7)
    find(small)
    assert RemovalBatch.objects.count() == 2 and RemovalBatch.objects.latest("pk").size == 2
    assert limits.figures_for(small.profile, now=timezone.now()).week == 0


def answer_approvals(house: Any) -> None:
    for question in Approval.objects.filter(at=None):
        house.post(f"/approvals/{question.pk}/", house.ann, answer="approve")
