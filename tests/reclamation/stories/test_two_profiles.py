"""Two profiles of one team see the same accounts: each is removed once, and the limits count the team once."""

from __future__ import annotations

from typing import Any

import pytest

from profiles.models import IntegrationProfile
from reclamation.models import RemovalAttempt, RemovalBatch, RemovalCandidate, SavingsEntry
from reclamation.removal import limits
from reclamation.states import State
from subscriptions.models import Subscription
from tests import worlds

Attempt = RemovalAttempt.State


@pytest.fixture
def second(house: Any) -> IntegrationProfile:
    """Another profile, connected to the same team after a person confirmed that this is meant."""
    draft = worlds.draft_profile("Second")
    IntegrationProfile.objects.filter(pk=draft.pk).update(reclaim=True)
    draft.refresh_from_db()
    integrator = house.account("ida", "sam_integrator")
    assert "counted twice" in house.connect(draft, integrator)
    house.connect(draft, integrator, share_team="1")
    ready = {"status": "published", "licenses_reported": house.team.licensed}
    IntegrationProfile.objects.filter(pk=draft.pk).update(**ready)
    house.refresh()
    assert draft.team_id == house.profile.team_id
    return draft


def twins(house: Any, second: IntegrationProfile, count: int) -> list[tuple[RemovalCandidate, RemovalCandidate]]:
    """So many idle accounts, each a candidate of both profiles."""
    rule, first = house.rule(), house.profile
    members = [next(house._idle) for _ in range(count)]
    found = []
    for profile in (first, second):
        house.profile = profile
        found.append([house.candidate(member, rule) for member in members])
    house.profile = first
    return list(zip(*found, strict=True))


@pytest.mark.parametrize("together", [True, False], ids=["one press", "one press each"])
def test_each_account_is_removed_once_and_both_candidates_end(house: Any, second: Any, together: bool) -> None:
    pairs = twins(house, second, 3)
    ones, others = zip(*pairs, strict=True)
    if together:
        house.reclaim(*ones, *others)
    else:
        house.reclaim(*ones)
        house.reclaim(*others)
    house.go_on()
    names = {one.external_id for one in ones}
    assert house.times_done() == {("remove", name): 1 for name in names}
    assert SavingsEntry.objects.filter(kind="freed").count() == 3, "each license is free once"
    assert Subscription.objects.filter(external_id__in=names, ended_at=None).count() == 0, "the seats of both"
    assert [house.state(one) for one in ones] == [(State.AWAITING_REVOCATION, Attempt.REMOVED)] * 3
    assert {house.state(one)[0] for one in others} == {State.CLOSED_COMPLETE}
    for profile in (house.profile, second):
        figures = limits.figures_for(profile, now=house.attempt(ones[0]).called_at)
        assert (figures.week, figures.licenses) == (3, house.team.licensed)


def test_restored_through_one_profile_the_account_is_back_in_both_and_left_alone(house: Any, second: Any) -> None:
    ((one, other),) = twins(house, second, 1)
    house.reclaim(one)
    house.work()
    assert other.external_id == one.external_id and house.state(other)[0] == State.CLOSED_SKIPPED
    house.post(f"/removals/{house.attempt(one).pk}/restore/", house.bob)
    house.work()
    seats = Subscription.objects.filter(external_id=one.external_id)
    assert [(seat.ended_at, seat.status) for seat in seats] == [(None, "active")] * 2
    assert all(seat.keep_until and seat.restored_at for seat in seats)
    house.pass_days(8)
    house.go_on()
    assert house.times_done() == {("remove", one.external_id): 1, ("recover", one.external_id): 1}
    assert sum(entry.quantity for entry in SavingsEntry.objects.all()) == 0


def test_what_one_profile_removed_counts_for_the_quota_of_the_other(house: Any, second: Any) -> None:
    """160 licenses: eight without a second person, whoever presses where."""
    pairs = twins(house, second, 9)
    assert "8 without a second person" in house.page(f"/removal-batches/new/?candidate={pairs[0][0].pk}")
    house.reclaim(*[one for one, _ in pairs[:5]])
    house.go_on()
    said = house.reclaim(*[other for _, other in pairs[5:]])
    assert "waits for a second person" in said
    house.go_on()
    assert sum(house.times_done().values()) == 5
    batch = RemovalBatch.objects.latest("pk")
    house.post(f"/removal-batches/{batch.pk}/decide/", house.ann, approve="yes")
    house.go_on()
    assert sum(house.times_done().values()) == 5, "nobody decides on the own batch"
    house.post(f"/removal-batches/{batch.pk}/decide/", house.bob, approve="yes")
    house.go_on()
    assert sum(house.times_done().values()) == 9


def test_kept_in_one_profile_the_account_is_removed_through_neither(house: Any, second: Any) -> None:
    ((one, other),) = twins(house, second, 1)
    house.post(f"/removal-candidates/{one.pk}/skip/", house.bob, reason="It is needed.")
    assert house.state(one)[0] == State.CLOSED_SKIPPED
    house.reclaim(other)
    house.go_on()
    assert house.times_done() == {}
    assert house.state(other)[0] == State.CLOSED_SKIPPED
