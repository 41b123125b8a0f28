"""Reclaiming what was selected in the list: exactly those candidates, looked at once more when it is confirmed."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.utils import timezone

from reclamation import workflow
from reclamation.models import RemovalBatch
from reclamation.removal import chosen
from tests.reclamation.selected.choosing import LIST, SELECT, Page

pytestmark = pytest.mark.django_db
CONFIRM = {"confirm": "1", "legal_hold": "on"}


@pytest.fixture
def manager(signed_in: Any) -> Any:
    return signed_in("sam_admin", username="maria")


def press_reclaim(page: Page) -> str:
    """The browser repeats the POST at the page of removals."""
    answer = page.client.post(SELECT, page.fields("reclaim"))
    assert answer.status_code == 307
    return page.client.post(answer["Location"], page.fields("reclaim"), follow=True).content.decode()


def confirm(client: Any, html: str, **fields: str) -> str:
    hidden = dict(re.findall(r'<input type="hidden" name="(selection|seen)" value="([^"]*)"', html))
    return client.post("/removal-batches/new/", {**hidden, **CONFIRM, **fields}, follow=True).content.decode()


def test_ticked_candidates_are_shown_and_reclaimed_when_confirmed(place: Any, manager: Any) -> None:
    candidates = [place.candidate(f"m{number}") for number in range(4)]
    page = Page.open(manager, LIST)
    assert page.buttons[0] == "Reclaim"
    page = page.tick(0, 2)
    shown = press_reclaim(page)
    assert "Reclaim 2 subscriptions?" in shown and not RemovalBatch.objects.exists()
    assert "goes on with 2 subscriptions" in confirm(manager, shown)
    taken = {one.pk for one in candidates if one.attempts.exists()}
    assert taken == page.ticked
    assert Page.open(manager, f"{LIST}?selection={page.token}").text == "Nothing selected"


def test_what_changed_since_the_page_was_shown_is_told_and_nothing_is_reclaimed(place: Any, manager: Any) -> None:
    first = place.candidate("m1")
    place.candidate("m2")
    shown = press_reclaim(Page.open(manager, LIST).press("all"))
    assert "Reclaim 2 subscriptions?" in shown
    place.candidate("m3")
    again = confirm(manager, shown)
    assert "1 more matches now than when this page was shown: 3, not 2." in again
    assert "Reclaim 3 subscriptions?" in again and not RemovalBatch.objects.exists()
    workflow.skip(first, reason="Quicker", by=manager.user, now=timezone.now())
    assert "1 fewer matches now" in confirm(manager, again) and not RemovalBatch.objects.exists()


def test_what_changed_since_all_were_selected_is_told_on_the_page(place: Any, manager: Any) -> None:
    place.candidate("m1")
    page = Page.open(manager, LIST).press("all")
    place.candidate("m2")
    assert "1 more matches now than when you selected them: 2, not 1." in press_reclaim(page)


def test_more_than_one_batch_can_hold_is_refused_and_none_is_left_out_silently(
    place: Any, manager: Any, monkeypatch: Any
) -> None:
    for number in range(3):
        place.candidate(f"m{number}")
    monkeypatch.setattr(chosen, "MOST", 2)
    assert "can be reclaimed at once" in press_reclaim(Page.open(manager, LIST).press("all"))
    assert not RemovalBatch.objects.exists()


@pytest.mark.parametrize("token", ["unknown-token", "x" * 500])
def test_an_altered_selection_reclaims_nobody(place: Any, manager: Any, token: str) -> None:
    place.candidate("m1")
    told = confirm(manager, "", selection=token)
    assert "This selection is over" in told and not RemovalBatch.objects.exists()


def test_a_dry_run_keeps_the_selection(place: Any, manager: Any) -> None:
    place.candidate("m1")
    page = Page.open(manager, LIST).press("all")
    shown = press_reclaim(page)
    hidden = dict(re.findall(r'<input type="hidden" name="(selection|seen)" value="([^"]*)"', shown))
    assert (
        "a dry run" in manager.post("/removal-batches/new/", {**hidden, "dry_run": "1"}, follow=True).content.decode()
    )
    assert Page.open(manager, f"{LIST}?selection={page.token}").text == "All 1 selected"
