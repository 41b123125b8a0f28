"""What *gone* means where the vendor counts its accounts: the list may shrink by as much as the count does."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from profiles.connectors import base
from profiles.models import IntegrationProfile, JobRun
from subscriptions.models import AcceptedListing, Subscription
from tests.subscriptions.download_world import current, execute, lose_worker, queue_run, refresh, seat, seats

pytestmark = pytest.mark.django_db
HELD, SUCCEEDED = JobRun.State.HELD, JobRun.State.SUCCEEDED


@pytest.fixture(autouse=True)
def pages_of_five_hundred(tenant: Any) -> None:
    tenant.page_size = 500


def suspended(count: int, first: int = 9000) -> list[base.Seat]:
    return [seat(f"s{number}", status="suspended", vendor_status="suspended") for number in range(first, first + count)]


def invited(count: int) -> list[base.Seat]:
    return [seat(f"i{number}", status="invited", vendor_status="invited") for number in range(count)]


class Story:
    """A tenant told day by day: what it lists, what it counts, and how the download of that day ends."""

    def __init__(self, tenant: Any, profile: IntegrationProfile) -> None:
        self.tenant, self.profile, self.day = tenant, profile, 0

    def download(self, members: list[Any], count: int | None, **given: Any) -> JobRun:
        self.tenant.members, self.tenant.provisioned = members, count
        self.day += 1
        return refresh(self.profile, days=self.day, **given)


@pytest.fixture
def story(tenant: Any, profile: IntegrationProfile) -> Story:
    return Story(tenant, profile)


def reclaim(profile: IntegrationProfile, first: int, end: int, at: Any = None) -> None:
    """What a reclaim run does when the vendor has removed the accounts."""
    ours = queue_run(profile)
    JobRun.objects.filter(pk=ours.pk).update(process=base.RECLAIM, state="succeeded")
    removed = Subscription.objects.filter(external_id__in=[f"dbmid:u{n}" for n in range(first, end)])
    removed.update(ended_at=at or timezone.now(), ended_by_run=ours, status="removed")


@pytest.mark.parametrize(("had", "missing"), [(2500, 200), (2500, 13), (1000, 6), (100, 3), (30, 5)])
def test_a_list_that_ends_early_ends_nobody_while_the_count_stays(story: Story, had: int, missing: int) -> None:
    story.download(seats(had), had)
    run = story.download(seats(had - missing), had)
    assert (run.state, run.counters["withheld"], run.counters["ended"]) == (HELD, missing, 0)
    assert f"the list went from {had:,} to {had - missing:,} accounts" in run.error_message
    assert f"count from {had:,} to {had:,}" in run.error_message
    assert f"does not confirm that {missing:,} accounts are gone" in run.error_message
    assert len(current(story.profile)) == had
    again = story.download(seats(had), had)
    assert again.state == SUCCEEDED and len(current(story.profile)) == had


@pytest.mark.parametrize(("had", "left"), [(2500, 12), (2500, 300), (100, 40), (50, 2), (3, 2)])
def test_who_left_is_gone_when_the_count_says_so(story: Story, had: int, left: int) -> None:
    story.download(seats(had), had)
    run = story.download(seats(had - left), had - left)
    assert (run.state, run.counters["ended"]) == (SUCCEEDED, left)


def test_half_of_all_seats_end_only_with_a_confirmation_even_if_the_count_agrees(story: Story) -> None:
    story.download(seats(30), 30)
    run = story.download(seats(15), 15)
    assert run.state == HELD and "the vendor's own count fell with it" in run.error_message
    assert story.download(seats(15), 15, accept_drop=True).counters["ended"] == 15


def test_those_who_join_do_not_hide_those_who_are_missing(story: Story) -> None:
    story.download(seats(100), 100)
    run = story.download([*seats(90), *seats(10, first=200)], 110)
    assert (run.state, run.counters["new"], run.counters["withheld"]) == (HELD, 10, 10)


def test_a_few_a_day_add_up_until_a_person_is_asked(story: Story) -> None:
    story.download(seats(2500), 2500)
    states = [story.download(seats(2500 - 2 * day), 2500).state for day in range(1, 8)]
    assert states == [SUCCEEDED] * 6 + [HELD]
    story.download(seats(2486), 2500, accept_drop=True)
    assert story.download(seats(2484), 2500).state == SUCCEEDED, "what a person confirmed is the new beginning"


def test_a_held_listing_is_not_what_the_next_one_is_compared_with(story: Story) -> None:
    story.download(seats(100), 100)
    for _ in range(3):
        run = story.download(seats(90), 100)
        assert run.state == HELD and "went from 100 to 90" in run.error_message
    assert len(current(story.profile)) == 100


def test_what_a_person_confirmed_is_compared_with_from_then_on(story: Story) -> None:
    story.download(seats(100), 100)
    story.download(seats(80), 100)
    assert story.download(seats(80), 100, accept_drop=True).counters["ended"] == 20
    assert story.download(seats(79), 100).state == SUCCEEDED
    assert story.download(seats(70), 100).state == HELD


def test_a_confirmation_covers_the_drop_that_was_shown_and_hardly_more(story: Story) -> None:
    story.download(seats(1000), 1000)
    story.download(seats(900), 1000)
    run = story.download(seats(890), 1000, accept_drop=True)
    assert run.state == HELD and "110 subscriptions are missing now, but only 100 were confirmed" in run.error_message


def test_nobody_confirmed_anything_where_no_run_was_held(story: Story) -> None:
    story.download(seats(100), 100)
    assert story.download(seats(60), 100, accept_drop=True).state == HELD


@pytest.mark.parametrize("left_out", [suspended(101), invited(101), [*suspended(60), *invited(41)]])
def test_a_count_may_leave_out_some_accounts(story: Story, left_out: list[base.Seat]) -> None:
    run = story.download([*seats(2399), *left_out], 2399)
    assert run.warnings == [] and run.counters["counted"] == 2399 and run.counters["seen"] == 2500
    assert story.download([*seats(2360), *left_out], 2360).counters["ended"] == 39
    assert story.download([*seats(2160), *left_out], 2360).state == HELD


def test_who_is_suspended_and_comes_back_makes_no_healthy_run_held(story: Story) -> None:
    """The count leaves out suspended accounts: it falls and rises while the list stays as long as it was."""
    story.download(seats(100), 100)
    for away, gone in ((20, 0), (5, 1), (30, 2), (0, 3)):
        here = seats(100 - away - gone, first=gone)
        resting = [seat(f"u{n}", status="suspended", vendor_status="suspended") for n in range(100 - away, 100)]
        assert story.download([*here, *resting], len(here)).state == SUCCEEDED
    assert len(current(story.profile)) == 97


def test_suspended_accounts_that_the_count_leaves_out_do_not_vanish_unasked(story: Story) -> None:
    story.download([*seats(100), *suspended(20)], 100)
    assert story.download([*seats(100), *suspended(18)], 100).counters["ended"] == 2
    run = story.download([*seats(100), *suspended(10)], 100)
    assert run.state == HELD and "does not confirm that 8 accounts are gone" in run.error_message


@pytest.mark.parametrize(("wrong", "next_day"), [(150, 100), (120, 120), (60, 100), (60, 60)])
def test_a_count_that_errs_once_does_not_hide_a_short_list_of_the_next_day(
    story: Story, wrong: int, next_day: int
) -> None:
    story.download(seats(100), 100)
    assert story.download(seats(100), wrong).state == SUCCEEDED
    assert story.download(seats(80), next_day).state == HELD
    assert len(current(story.profile)) == 100


def test_a_short_list_is_told_even_if_nobody_would_end_by_it(story: Story) -> None:
    story.download(seats(100), 100)
    run = story.download(seats(100), 120)
    (warning,) = run.warnings
    assert run.state == SUCCEEDED and "went from 100 to 100 accounts, and the vendor’s own count from 100" in warning


@pytest.mark.parametrize("none", [None, 0])
@pytest.mark.parametrize("when", ["now", "then"])
def test_without_two_counts_to_compare_a_tenth_may_end(story: Story, none: int | None, when: str) -> None:
    then, now = (none, 100) if when == "then" else (100, none)
    story.download(seats(100), then)
    assert story.download(seats(90), now).counters["ended"] == 10
    assert story.download(seats(70), none).state == HELD


def test_a_day_without_a_count_does_not_make_the_next_day_forget(story: Story) -> None:
    story.download(seats(100), 100)
    story.download(seats(95), None)
    run = story.download(seats(94), 100)
    assert run.state == HELD and "went from 100 to 94" in run.error_message


@pytest.mark.parametrize(("before", "after"), [(100, 130), (130, 100), (100, 70), (130, 70)])
def test_accounts_that_join_or_leave_while_the_list_is_read_are_no_doubt(
    story: Story, tenant: Any, before: int, after: int
) -> None:
    tenant.page_size = 50
    story.download(seats(100), 100)
    tenant.before = {2: lambda: setattr(tenant, "provisioned", after)}
    listed = (before + after) // 2 - 1
    run = story.download(seats(listed), before)
    assert run.state == SUCCEEDED and len(current(story.profile)) == listed


def test_records_that_could_not_be_read_are_listed_each_of_them_once(story: Story) -> None:
    story.download(seats(100), 100)
    odd = [base.SetAside(reason="odd", external_id=f"dbmid:u{n}") for n in range(80, 98)]
    assert story.download([*seats(80), *odd], 98).counters["ended"] == 2
    run = story.download([*seats(80), *odd[:9], *odd[:9]], 98)
    assert run.state == HELD and "went from 98 to 89" in run.error_message


def test_another_team_has_nothing_to_be_compared_with(story: Story, tenant: Any, profile: IntegrationProfile) -> None:
    story.download(seats(100), 100)
    tenant.team_id = "dbtid:other"
    IntegrationProfile.objects.update(team_id="dbtid:other", team_name="Other")
    elsewhere = seats(1200, first=5000)
    for _ in range(2):
        run = story.download(elsewhere, 1200)
        assert run.state == HELD and "This profile was moved to another team. 100 of " in run.error_message
    assert AcceptedListing.objects.get().team_id == "dbtid:one"
    assert story.download(elsewhere, 1200, accept_drop=True).counters["ended"] == 100
    assert AcceptedListing.objects.get().team_id == "dbtid:other"
    assert story.download(elsewhere[:1000], 1200).state == HELD

    tenant.team_id = "dbtid:one"
    IntegrationProfile.objects.update(team_id="dbtid:one", team_name="One")
    back = story.download(seats(100), 100)
    assert back.state == HELD and back.counters["returned"] == 100
    assert "moved to another team" in back.error_message


def test_what_was_confirmed_of_one_team_confirms_nothing_of_another(story: Story, tenant: Any) -> None:
    story.download(seats(100), 100)
    assert story.download(seats(10), 100).counters["withheld"] == 90
    tenant.team_id = "dbtid:other"
    IntegrationProfile.objects.update(team_id="dbtid:other")
    run = story.download(seats(50, first=500), 50, accept_drop=True)
    assert run.state == HELD and "only 0 were confirmed" in run.error_message


def test_pages_of_one_team_are_never_published_as_another(tenant: Any, profile: IntegrationProfile) -> None:
    """The worker dies after the last page; before the next one takes the run, the profile is moved."""
    tenant.members, tenant.provisioned = seats(7), 7
    run = queue_run(profile)
    answer, asked = tenant.team, []

    def team() -> base.Team:
        asked.append(1)
        if len(asked) == 2:
            raise base.Throttled("Slowly.", retry_after=1)
        return answer()

    tenant.team = team
    assert execute(run).state == JobRun.State.QUEUED and run.items == 7
    lose_worker(run)
    tenant.team_id = "dbtid:other"
    tenant.members, tenant.provisioned = seats(3, first=50), 3
    IntegrationProfile.objects.update(team_id="dbtid:other")
    assert execute(run).state == SUCCEEDED
    assert current(profile) == {"dbmid:u50", "dbmid:u51", "dbmid:u52"}


def test_a_profile_that_is_moved_while_its_list_is_read_gets_nothing_of_it(
    tenant: Any, profile: IntegrationProfile
) -> None:
    tenant.members, tenant.provisioned, tenant.page_size = seats(7), 7, 2
    tenant.before = {2: lambda: IntegrationProfile.objects.update(team_id="dbtid:other")}
    run = refresh(profile)
    assert (run.state, run.error_kind) == (JobRun.State.FAILED, "Refused")
    assert not Subscription.objects.exists() and not AcceptedListing.objects.exists()


@pytest.mark.parametrize("count", [99, 96, 94])
def test_what_we_removed_is_no_doubt_whether_the_count_knows_it_or_not(story: Story, count: int) -> None:
    story.download(seats(100), 100)
    reclaim(story.profile, 95, 100)
    run = story.download(seats(94), count)
    assert (run.state, run.counters["ended"]) == (SUCCEEDED, 1)


def test_the_run_says_how_many_accounts_the_vendor_counts_and_what_its_list_is_made_of(
    story: Story, integrator: Any
) -> None:
    story.download([*seats(23), *suspended(2)], 23)
    run = story.download([*seats(23), *suspended(2)], 23)
    assert (run.items, run.expected_items) == (25, 25)
    assert (run.counters["counted"], run.counters["suspended"], run.counters["invited"]) == (23, 2, 0)
    page = integrator.get(run.get_absolute_url()).content.decode()
    assert "25 of 23" not in page and "Accounts, per vendor" in page and "Suspended" in page


# had, removed by us, joined since, still counted though removed, missing from the list: who of the listed are cut off
@pytest.mark.parametrize(
    ("had", "ours", "joined", "counted_still", "missing"),
    [
        (1000, 200, 0, 0, 200),
        (1000, 200, 0, 0, 6),
        (1000, 200, 0, 100, 100),
        (1000, 200, 100, 0, 100),
        (1000, 200, 250, 50, 30),
        (100, 40, 0, 0, 3),
        (100, 40, 40, 0, 20),
        (30, 10, 5, 0, 4),
    ],
)
def test_what_we_removed_hides_nobody_else_who_is_missing(
    story: Story, had: int, ours: int, joined: int, counted_still: int, missing: int
) -> None:
    """The count knows our removals, or some of them. It must not excuse as many living accounts once more."""
    story.download(seats(had), had)
    reclaim(story.profile, had - ours, had)
    left = had - ours + joined
    for _ in range(2):  # what was held the first time must not pass as known the second time
        run = story.download([*seats(had - ours - missing), *seats(joined, first=5000)], left + counted_still)
        assert (run.state, run.counters["withheld"], run.counters["ended"]) == (HELD, missing, 0)
        assert f"does not confirm that {missing:,} accounts are gone" in run.error_message
    assert len(current(story.profile)) == left
    run = story.download([*seats(had - ours), *seats(joined, first=5000)], left)
    assert run.state == SUCCEEDED and len(current(story.profile)) == left


@pytest.mark.parametrize("counted_still", [0, 50, 200])
@pytest.mark.parametrize("joined", [0, 30, 300])
def test_after_removals_of_ours_a_whole_list_is_no_doubt(story: Story, joined: int, counted_still: int) -> None:
    story.download(seats(1000), 1000)
    reclaim(story.profile, 800, 1000)
    left = [*seats(800), *seats(joined, first=5000)]
    run = story.download(left, len(left) + counted_still)
    assert (run.state, run.warnings) == (SUCCEEDED, [])
    run = story.download(left[3:], len(left) - 3)
    assert (run.state, run.counters["ended"], run.warnings) == (SUCCEEDED, 3, [])


def test_accounts_that_the_count_never_counts_are_not_forgotten_for_our_removals(story: Story) -> None:
    story.download(seats(1000), 1000)
    reclaim(story.profile, 800, 1000)
    listed = [*seats(800), *seats(50, first=5000)]
    assert story.download(listed, 800).state == SUCCEEDED
    assert story.download(listed[:800], 800).state == HELD, "the count has not fallen, and fifty are missing"
