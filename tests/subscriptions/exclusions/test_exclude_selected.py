"""Selected subscriptions are excluded by their addresses after a page that says which, and back."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from profiles.models import IntegrationProfile, JobRun
from samsaas.models import AuditEntry
from subscriptions.exclusions import exclude, exclude_selected
from subscriptions.models import Subscription, UserExclusion
from tests import factories, pages

pytestmark = pytest.mark.django_db
LIST = "/subscriptions/"
SELECT, EXCLUDE, UNDO = (f"{LIST}{name}/" for name in ("select", "exclude", "exclude/undo"))
TOKEN = "selection-1"
REASON = "Meeting rooms"


@pytest.fixture(autouse=True)
def silent_queue(monkeypatch: Any) -> None:
    monkeypatch.setattr("profiles.jobs.queue.ring", lambda run: None)


@pytest.fixture
def manager(signed_in: Any) -> Any:
    return signed_in("sam_admin", username="maria")


@pytest.fixture
def team() -> IntegrationProfile:
    """A team of ten, three of which are rooms."""
    made = factories.profile(display_name="Europe", refreshed_at=timezone.now())
    for number in range(7):
        seat(made, f"person{number}@one.example")
    for number in range(3):
        seat(made, f"Room{number}@one.example", display_name=f"Room {number}")
    return made


def seat(profile: IntegrationProfile, email: str, **fields: Any) -> Subscription:
    return factories.subscription(profile=profile, email=email, **fields)


def select_all(client: Any, query: str) -> str:
    """Select all of a filter and press *Exclude*; gives the page that asks."""
    client.post(SELECT, {"do": "all", "selection": TOKEN, "place": query})
    fields = {"do": "exclude", "selection": TOKEN, "place": query, "shown": ""}
    return client.post(SELECT, fields, follow=True).content.decode()


def confirm(client: Any, page: str, **fields: str) -> str:
    hidden = dict(re.findall(r'<input type="hidden" name="(selection|seen)" value="([^"]*)"', page))
    return client.post(EXCLUDE, {**hidden, "reason": REASON, **fields}, follow=True).content.decode()


def excluded() -> set[str]:
    return set(Subscription.objects.left_out().values_list("compared_email", flat=True))


def test_all_of_a_filter_are_excluded_by_a_rule_of_each_address_and_users_are_matched_again(
    manager: Any, team: IntegrationProfile
) -> None:
    elsewhere = seat(factories.profile(), "room0@one.example", display_name="Elsewhere")
    page = select_all(manager, f"q=Room&profile={team.pk}")
    text = pages.text_of(page)
    assert "Exclude 3 subscriptions?" in text and "All 3 can be excluded." in text and "Room 2" in text
    assert not UserExclusion.objects.exists(), "the page does nothing"
    done = pages.text_of(confirm(manager, page))
    assert "3 subscriptions are excluded now. 3 rules were made. Users are being matched again." in done
    assert excluded() == {"room0@one.example", "room1@one.example", "room2@one.example"}
    elsewhere.refresh_from_db()
    assert not elsewhere.excluded, "a rule is of the profile of its subscription"
    rules = UserExclusion.objects.all()
    assert {(rule.pattern, rule.profile, rule.reason, rule.active) for rule in rules} == {
        (address, team, REASON, True) for address in excluded()
    }
    entries = AuditEntry.objects.filter(verb="created exclusion rule", actor_name="maria")
    assert {entry.object_id for entry in entries} == {str(rule.pk) for rule in rules}
    assert JobRun.objects.filter(profile=team, process="match_people").exists()


def test_the_exclusion_can_be_undone_but_for_rules_that_somebody_changed(
    manager: Any, team: IntegrationProfile
) -> None:
    page = confirm(manager, select_all(manager, "q=Room"))
    assert "Undo the exclusion" in page
    UserExclusion.objects.filter(pattern="room1@one.example").update(reason="By the works council")
    told = pages.text_of(manager.post(UNDO, follow=True).content.decode())
    assert "2 rules were deleted. 2 subscriptions count again." in told
    assert "1 stayed: changed in the meantime." in told
    assert excluded() == {"room1@one.example"}
    assert AuditEntry.objects.filter(verb="deleted exclusion rule").count() == 2
    assert "no exclusion to undo" in manager.post(UNDO, follow=True).content.decode()


def test_most_of_a_team_is_excluded_only_with_a_tick_for_exactly_this_number(
    manager: Any, team: IntegrationProfile
) -> None:
    page = select_all(manager, "q=person")
    assert "That is 7 of 10 in" in pages.text_of(page)
    for tick in ({}, {"sure": "6"}):
        again = confirm(manager, page, **tick)
        assert "Nothing is excluded yet" in again and not UserExclusion.objects.exists()
    confirm(manager, page, sure="7")
    assert len(excluded()) == 7


def test_why_not_the_others_and_who_goes_with_them(manager: Any, team: IntegrationProfile) -> None:
    old, off, odd = (seat(team, f"{name}@one.example", display_name="Room of old") for name in ("old", "off", "o*d"))
    Subscription.objects.filter(pk=old.pk).update(ended_at=timezone.now() - timedelta(days=1))
    UserExclusion.objects.create(profile=team, pattern=off.compared_email, active=False)
    seat(team, "", display_name="Room without address")
    seat(team, "room0@one.example", display_name="A twin")
    text = pages.text_of(select_all(manager, "q=Room&seats=all"))
    assert "4 of 8 can be excluded" in text, "the twin has the word in its address"
    for reason in ("1 has ended", "1 has no address", "1 has an address with *", "1 has a rule that is switched off"):
        assert reason in text, reason
    text = pages.text_of(select_all(manager, "q=Room+0"))
    assert "1 can be excluded." in text and "1 more has one of these addresses in the same profile" in text
    assert odd.compared_email == "o*d@one.example"


def test_other_rows_than_the_page_showed_are_asked_about_again(manager: Any, team: IntegrationProfile) -> None:
    page = select_all(manager, "q=Room")
    Subscription.objects.filter(display_name="Room 2").update(excluded=True)
    assert "1 fewer matches now" in confirm(manager, page) and not UserExclusion.objects.exists()


def test_without_a_reason_and_too_many_at_once_exclude_nothing(
    manager: Any, team: IntegrationProfile, monkeypatch: Any
) -> None:
    page = select_all(manager, "q=Room")
    assert "This field is required" in confirm(manager, page, reason="")
    monkeypatch.setattr("subscriptions.exclusions.selected_views.MOST", 2)
    assert "At most 2 can be excluded at once" in select_all(manager, "q=Room")
    assert not UserExclusion.objects.exists()


def test_a_thousand_rules_of_one_address_do_not_stop_a_refresh(team: IntegrationProfile) -> None:
    rules = [UserExclusion(profile=team, pattern=f"nobody{number}@one.example") for number in range(1200)]
    UserExclusion.objects.bulk_create([*rules, UserExclusion(profile=team, pattern="Room0@one.example")])
    assert exclude.mark_seats(team, now=timezone.now()) == 1
    assert excluded() == {"room0@one.example"}
    seats = list(Subscription.objects.filter(profile=team).values_list("pk", flat=True))
    assert exclude_selected.concerned_seats(seats).count() == len(seats)
