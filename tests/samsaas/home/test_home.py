"""Home: what somebody sees on a Monday morning, from the empty installation to many connected teams."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from profiles.models import Credential, IntegrationProfile
from subscriptions.models import Person
from tests import factories, pages, worlds
from tests.samsaas.home.home_world import own
from tests.subscriptions.reconciliation.position_world import reconcile_as_of

pytestmark = pytest.mark.django_db

CREATE = 'href="/integration-profiles/new/"'


def home(client: Any) -> str:
    answer = client.get("/")
    assert answer.status_code == 200
    return str(answer.content.decode())


def main_of(page: str) -> str:
    """The page without its frame."""
    return page.split("<main", 1)[1].split("</main>", 1)[0]


def test_an_empty_installation_offers_the_first_step_to_those_who_may_take_it(signed_in: Any) -> None:
    for role in ("admin", "sam_integrator"):
        assert CREATE in main_of(home(signed_in(role)))
    for role in ("sam_user", "sam_admin"):
        page = main_of(home(signed_in(role)))
        assert CREATE not in page and "sam_integrator" in page, "who can do it is named"


def test_an_account_without_a_role_is_told_whom_to_ask(signed_in: Any, draft: Any) -> None:
    page = home(signed_in(""))
    assert "no role yet" in page and "administrator" in page
    assert draft.display_name not in page and "/subscriptions/" not in page


def test_a_draft_is_shown_with_its_next_step(integrator: Any, draft: Any) -> None:
    page = main_of(home(integrator))
    assert "Draft" in page and "Next step: Get OAuth Token" in page
    assert f'href="{draft.get_absolute_url()}"' in page
    assert pages.rows(page, "Profile")["Dropbox Europe"][2:4] == ["–", "–"], "not known yet"


def test_after_the_first_download_the_figures_are_there_and_nothing_asks_for_attention(
    integrator: Any, connected: Any, dropbox: Any
) -> None:
    (run,) = worlds.work()
    page = main_of(home(integrator))
    assert run.state == "succeeded"
    assert "draft" not in page.lower() and "notice-warn" not in page
    assert f'href="{run.get_absolute_url()}"' in page and "Succeeded" in page
    assert "248" in pages.rows(page, connected.display_name and "Profile")[f"{connected} {connected.team_name}"]


def test_every_figure_leads_to_exactly_as_many_rows_and_the_parts_add_up(integrator: Any, connected: Any) -> None:
    worlds.work()
    second = factories.profile(display_name="Second", licenses_reported=10, seats_used_reported=3)
    for status in ("active", "suspended", "unknown"):
        factories.subscription(profile=second, status=status, consumes_license=status != "unknown")
    factories.subscription(profile=second, ended_at=timezone.now())
    worlds.count_seats()
    page = home(integrator)
    to_seats = {url: number for url, number in pages.figures(page).items() if url.startswith("/subscriptions/")}
    assert len(to_seats) >= 9
    for url, number in to_seats.items():
        assert pages.rows_behind(integrator, url) == number, url
    by_profile = [number for url, number in to_seats.items() if re.fullmatch(r"/subscriptions/\?profile=\d+", url)]
    bands = [int(cells[-1]) for cells in pages.rows(page, "Last activity").values()]
    assert len(by_profile) == 2 and sum(by_profile) == sum(bands) == pages.rows_behind(integrator, "/subscriptions/")


def test_seats_of_people_who_have_left_are_counted_marked_and_one_click_away(
    signed_in: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, profile, today = signed_in("sam_user"), factories.profile(), timezone.localdate()
    last_days = {"Gone": today - timedelta(days=40), "Goes": today, "Will": today + timedelta(days=1), "Stays": None}
    seats = {}
    for name, left_on in last_days.items():
        seats[name] = factories.subscription(profile=profile, display_name=f"{name} seat")
        factories.match(seats[name], factories.person(name=name, left_on=left_on))
    for state in ({"ended_at": timezone.now()}, {"excluded": True}):
        gone = factories.person(left_on=today - timedelta(days=1))
        factories.match(factories.subscription(profile=profile, **state), gone)
    address = "/subscriptions/?user=left&license=yes"
    worlds.count_seats()
    assert pages.figures(home(reader))[address] == 1
    assert pages.rows_behind(reader, "/subscriptions/?user=left&seats=all") == 3
    for few in (5000, 1):
        monkeypatch.setattr("subscriptions.filters.FEW", few)
        assert pages.rows_behind(reader, address) == 1, "however they are looked up"
    listed = pages.rows(reader.get(address).content.decode(), "Display name")
    assert {name: cells[5] for name, cells in listed.items()} == {"Gone seat": "Left Gone"}
    everybody = pages.rows(reader.get("/subscriptions/").content.decode(), "Display name")
    assert everybody["Will seat"][5] == "Will", "a last day to come is only announced"
    assert everybody["Goes seat"][5] == "Goes", "the last day is a day of work"
    Person.objects.update(left_on=None)
    worlds.count_seats()
    assert pages.figures(home(reader))[address] == 0


def test_what_the_vendors_report_is_added_up_beside_what_is_counted(signed_in: Any) -> None:
    for name, number in (("Team 1", 1), ("Team 2", 2), ("Team 2 again", 2)):
        told = {"licenses_reported": 1000 * number, "seats_used_reported": 7}
        factories.profile(display_name=name, team_id=f"team-{number}", **told)
    factories.profile(display_name="Silent")
    page = home(signed_in("sam_user"))
    assert "Licenses you pay for 3,000 per vendor" in pages.text_of(page), "a team that is connected twice counts once"
    rows = pages.rows(page, "Profile")
    assert rows["Team 2"][-2:] == ["7", "2,000"] and rows["Silent"][-2:] == ["–", "–"]


def test_a_profile_that_needs_somebody_comes_first_and_says_why(signed_in: Any) -> None:
    for number in range(9):
        factories.profile(display_name=f"A healthy {number}")
    broken = factories.profile(display_name="Zulu", attention=IntegrationProfile.Attention.NEEDS_AUTHORIZATION)
    held = factories.profile(display_name="Yankee", attention=IntegrationProfile.Attention.REFRESH_HELD)
    page = main_of(home(signed_in("sam_user")))
    assert page.index("notice-warn") < page.index("<table")
    for profile in (broken, held):
        assert profile.get_attention_display() in page and f'href="{profile.get_absolute_url()}"' in page
    shown = list(pages.rows(page, "Profile"))
    assert set(shown[:2]) == {"Zulu", "Yankee"} and "A healthy 8" not in shown
    assert 'href="/integration-profiles/"' in page, "the others are one click away"


def test_the_figure_of_what_is_out_of_compliance_opens_exactly_its_publishers(signed_in: Any) -> None:
    reader, profile = signed_in("sam_user"), factories.profile()
    for publisher, editions in (("Acme", 3), ("Zeta", 1)):
        for number in range(editions):
            model = factories.software_model(publisher=publisher, product="Mail", edition=str(number))
            for _ in range(2):
                factories.subscription(profile=profile, identifier=factories.identifier(software_model=model))
            own(model, 1)
    own(factories.software_model(publisher="Enough"), 3)
    worlds.count_seats()
    reconcile_as_of(None, now=timezone.now())
    page = main_of(home(reader))
    found = re.search(r'<a href="(/license-usage/\?status=out)">\s*<strong class="num">(\d+)</strong>', page)
    assert found and found[2] == "2" and "Publishers" in pages.text_of(page)
    listed = reader.get(f"{found[1]}&view=list").content.decode()
    assert list(pages.rows(listed, "Publisher")) == ["Acme", "Zeta"]


def test_a_lost_grant_shows_on_home_at_once(integrator: Any, connected: Any, dropbox: Any) -> None:
    dropbox.store.refresh_tokens.clear()
    Credential.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    (run,) = worlds.work()
    page = main_of(home(integrator))
    assert run.state == "failed" and "Needs authorization" in page
    assert f'href="{connected.get_absolute_url()}"' in page


def test_home_costs_the_same_for_one_profile_and_for_thirty(signed_in: Any) -> None:
    reader = signed_in("sam_user")

    def grow() -> None:
        seat = factories.subscription(profile=factories.run().profile)
        model = seat.identifier.software_model
        own(model, 3, end=timezone.localdate() + timedelta(days=20))
        factories.candidate(seat, rule=factories.rule(model), reason="idle")
        worlds.count_seats()
        reconcile_as_of(None, now=timezone.now())

    grow()
    one = pages.cost(reader, "/")
    for _ in range(5):
        grow()
    assert pages.cost(reader, "/") == one


def test_the_navigation_offers_nothing_that_answers_403(signed_in: Any) -> None:
    for role in ("", "sam_user", "sam_admin", "sam_integrator", "admin"):
        client = signed_in(role)
        page = home(client).split('aria-label="Workspace"', 1)[1].split("</nav>", 1)[0]
        for address in re.findall(r'href="([^"]+)"', page):
            assert client.get(address).status_code == 200, (role, address)
