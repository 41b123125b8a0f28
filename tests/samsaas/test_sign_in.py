"""Signing in and out: guessing is slowed, sessions end, and nobody is sent elsewhere."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings as configured
from django.test import Client
from django.urls import reverse

from tests import pages
from tests.samsaas.sign_in_world import LOGIN, PASSWORD, guess, is_signed_in, try_to

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
MISMATCH = "do not match"


# --- guessing ---------------------------------------------------------------------------------------------------------


def test_the_fifth_wrong_password_closes_the_door_and_the_page_says_for_how_long(ann: Any, client: Client) -> None:
    assert guess(client, 5) == [200, 200, 200, 200, 429]
    answer = try_to(client)
    page = pages.text_of(answer.content.decode())
    minutes = int(configured.AXES_COOLOFF_TIME.total_seconds() // 60)
    assert answer.status_code == 429 and f"Wait {minutes} minutes" in page and "administrator" in page
    assert not is_signed_in(client)


def test_the_right_password_opens_it_again_when_that_time_is_over(ann: Any, client: Client) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        guess(client, 5)
        clock.shift(configured.AXES_COOLOFF_TIME - timedelta(seconds=1))
        assert try_to(Client()).status_code == 429
    with time_machine.travel(NOW + 2 * configured.AXES_COOLOFF_TIME, tick=False):
        assert try_to(client).status_code == 302 and is_signed_in(client)


def test_a_success_in_between_starts_the_count_again(ann: Any) -> None:
    for _ in range(3):
        assert guess(Client(), 4) == [200] * 4
        assert try_to(Client()).status_code == 302


def test_nobody_else_is_locked_out_by_somebodys_guesses(ann: Any, account: Any) -> None:
    account("sam_user", username="bob")
    guess(Client(REMOTE_ADDR="192.0.2.1"), 6)
    assert try_to(Client(REMOTE_ADDR="192.0.2.1"), "bob").status_code == 302, "a colleague behind the same address"
    assert try_to(Client(REMOTE_ADDR="192.0.2.2")).status_code == 302, "the owner of the account, elsewhere"


@pytest.mark.parametrize("variant", ["ann", " ann ", "ａｎｎ"])
def test_another_spelling_of_the_same_name_is_not_another_count(ann: Any, client: Client, variant: str) -> None:
    guess(client, 4)
    assert guess(client, 1, variant) == [429]


def test_a_made_up_forwarding_header_does_not_open_the_door(ann: Any) -> None:
    for number in range(5):
        guess(Client(), 1, headers={"x-forwarded-for": f"203.0.113.{number}"})
    assert try_to(Client(), headers={"x-forwarded-for": "203.0.113.99"}).status_code == 429


def test_behind_our_own_proxy_the_address_it_added_counts(ann: Any, settings: Any) -> None:
    settings.TRUST_PROXY = True
    for number in range(5):
        guess(Client(), 1, headers={"x-forwarded-for": f"10.0.0.{number}, 203.0.113.1"})
    assert try_to(Client(), headers={"x-forwarded-for": "10.9.9.9, 203.0.113.1"}).status_code == 429
    assert try_to(Client(), headers={"x-forwarded-for": "203.0.113.1, 203.0.113.2"}).status_code == 302


def test_the_page_does_not_tell_which_accounts_exist(ann: Any, account: Any) -> None:
    account("sam_user", username="gone", is_active=False)

    def answer(username: str, password: str, *, wrong_before: int = 0) -> tuple[int, str]:
        client = Client(REMOTE_ADDR=f"192.0.2.{len(username)}")
        guess(client, wrong_before, username)
        page = try_to(client, username, password)
        return page.status_code, re.sub(
            r"csrfmiddlewaretoken\" value=\"\w+|nonce-\S+|value=\"\w+\"", "", page.content.decode()
        )

    known = answer("ann", "wrong")
    assert known[0] == 200 and MISMATCH in known[1]
    assert known == answer("nobody", "wrong") == answer("gone", PASSWORD)
    assert answer("ann", "wrong", wrong_before=5) == answer("nobody", "wrong", wrong_before=5)


@pytest.mark.parametrize(
    ("username", "password"),
    [("", ""), ("ann", ""), ("", "x"), ("x" * 10_000, "y"), ("ann", "y" * 10_000), ("<script>", "x")],
)
def test_nonsense_in_the_form_is_a_mismatch_and_no_more(ann: Any, client: Client, username: str, password: str) -> None:
    answer = try_to(client, username, password)
    assert answer.status_code == 200 and MISMATCH in answer.content.decode()
    assert (
        "<script>" not in answer.content.decode().replace("<script src", "")
        and "y" * 100 not in answer.content.decode()
    )
    assert client.post(f"{LOGIN}?next=%0A&x=%C2%80", {"username": "ann", "password": "wrong"}).status_code == 200


# --- where it leads ---------------------------------------------------------------------------------------------------

ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https:evil.example",
    "http:///evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    " //evil.example",
    "/\t/evil.example",
    "%2F%2Fevil.example",
    "http://testserver@evil.example/",
    "http://testserver.evil.example/",
    "x" * 5000,
]


@pytest.mark.parametrize("target", ELSEWHERE)
def test_signing_in_never_leads_to_another_site(ann: Any, client: Client, target: str) -> None:
    for answer in (
        try_to(client, next=target),
        client.get(LOGIN, {"next": target}),
        try_to(Client(), next=target, headers={"host": "localhost"}),
    ):
        assert answer.status_code == 302
        assert re.match(r"/($|[^/\\])", answer["Location"]) or answer["Location"].startswith(("x" * 99, "%2F"))


def test_signing_in_leads_on_to_the_page_that_was_asked_for(ann: Any, client: Client) -> None:
    first = client.get("/subscriptions/?q=m%C3%BCller&sort=email")
    assert first.status_code == 302 and first["Location"].startswith(f"{LOGIN}?next=/subscriptions/%3Fq%3D")
    form = client.get(first["Location"]).content.decode()
    target = re.search(r'name="next" value="([^"]+)"', form)
    assert target
    answer = try_to(client, next=target[1].replace("&amp;", "&"))
    assert answer["Location"] == "/subscriptions/?q=m%C3%BCller&sort=email"
    assert client.get(answer["Location"]).status_code == 200


def test_a_wrong_password_keeps_the_way_on(ann: Any, client: Client) -> None:
    assert 'name="next" value="/runs/"' in try_to(client, password="wrong", next="/runs/").content.decode()


def test_a_signed_in_person_who_opens_the_sign_in_page_is_led_home(ann: Any, client: Client) -> None:
    try_to(client)
    assert client.get(LOGIN)["Location"] == "/"
    assert client.get(LOGIN, {"next": "/runs/"})["Location"] == "/runs/"
    for circle in (LOGIN, f"{LOGIN}?next={LOGIN}"):
        assert client.get(LOGIN, {"next": circle})["Location"] == "/", "and not round in circles"


# --- sessions ---------------------------------------------------------------------------------------------------------


def test_signing_in_gives_a_new_session_and_signing_out_ends_it_on_the_server(ann: Any, client: Client) -> None:
    client.cookies["sessionid"] = "chosenbyanattacker00000000000000"
    try_to(client)
    key = client.cookies["sessionid"].value
    assert key != "chosenbyanattacker00000000000000" and is_signed_in(client)
    again = Client()
    again.cookies["sessionid"] = key
    assert is_signed_in(again)
    assert client.post("/accounts/logout/")["Location"] == LOGIN
    assert not is_signed_in(client) and not is_signed_in(again)


def test_signing_out_takes_a_post_with_a_token(ann: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(ann)
    assert client.get("/accounts/logout/").status_code == 405
    assert client.post("/accounts/logout/").status_code == 403
    assert is_signed_in(client)
    page = client.get("/").content.decode()
    form = page.split('action="/accounts/logout/"', 1)[1].split("</form>", 1)[0]
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form)
    assert token and client.post("/accounts/logout/", {"csrfmiddlewaretoken": token[1]}).status_code == 302
    assert not is_signed_in(client)


def test_a_changed_password_ends_the_other_sessions_and_not_this_one(ann: Any, client: Client) -> None:
    elsewhere = Client()
    for browser in (client, elsewhere):
        try_to(browser)
    new = "correct horse battery staple"
    form = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert client.post("/accounts/password/", form)["Location"] == reverse("password_change_done")
    assert is_signed_in(client) and not is_signed_in(elsewhere)


def test_a_role_taken_away_counts_from_the_next_click(signed_in: Any) -> None:
    client = signed_in("sam_admin")
    assert client.get("/audit/").status_code == 200
    client.user.groups.clear()
    assert client.get("/audit/").status_code == client.get("/subscriptions/").status_code == 403


def test_work_keeps_a_session_alive_to_its_absolute_end_and_not_beyond(ann: Any, client: Client) -> None:
    """Twelve hours after signing in, to the minute, even without a pause."""
    with time_machine.travel(NOW, tick=False) as clock:
        try_to(client)
        is_signed_in(client)
        for _ in range(24):
            clock.shift(timedelta(minutes=29, seconds=50))
            assert is_signed_in(client)
        clock.move_to(NOW + configured.SESSION_ABSOLUTE + timedelta(seconds=1))
        assert not is_signed_in(client)


def test_a_page_that_nobody_looks_at_ends_after_the_idle_limit_of_the_settings(
    ann: Any, client: Client, settings: Any
) -> None:
    settings.SESSION_IDLE = timedelta(minutes=5)
    with time_machine.travel(NOW, tick=False) as clock:
        try_to(client)
        is_signed_in(client)
        clock.shift(timedelta(minutes=5))
        assert is_signed_in(client), "the limit itself is still in time"
        clock.shift(timedelta(minutes=5, seconds=1))
        answer = client.get("/subscriptions/?q=a")
        assert answer["Location"] == f"{LOGIN}?next=/subscriptions/%3Fq%3Da"
        clock.shift(timedelta(seconds=-60))
        assert not is_signed_in(client), "an ended session does not come back"


def test_a_form_sent_after_the_session_ended_changes_nothing_and_leads_to_the_start_page(
    integrator: Any, connected: Any, client: Client
) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        client.force_login(integrator.user)
        is_signed_in(client)
        clock.shift(configured.SESSION_IDLE + timedelta(seconds=1))
        before = connected.runs.count()
        answer = client.post(f"/integration-profiles/{connected.pk}/disconnect/")
        assert answer["Location"] == f"{LOGIN}?next=/" and connected.runs.count() == before
        assert connected.alias.credentials.get().is_connected


def test_a_part_of_a_page_asked_for_after_the_session_ended_reloads_the_whole_page(client: Client) -> None:
    """A filter or a progress bar: htmx would follow the redirect and put the sign-in page where a list belongs."""
    for path in ("/subscriptions/?q=a", "/runs/1/progress/"):
        answer = client.get(path, headers={"HX-Request": "true"})
        assert answer.status_code == 200 and answer["HX-Refresh"] == "true" and not answer.content
        assert client.get(path)["Location"].startswith(LOGIN)


@pytest.mark.parametrize(
    ("asked", "shown", "goes_on"),
    [
        ("/runs/1/progress/", "http://testserver/runs/1/?a=b", "/runs/1/%3Fa%3Db"),
        ("/subscriptions/?q=anna", "http://testserver/subscriptions/?q=an", "/subscriptions/%3Fq%3Danna"),
        ("/subscriptions/?q=anna", "https://elsewhere.example/runs/", "/runs/"),
    ],
)
def test_signing_in_after_the_session_ended_leads_back_to_the_page_that_was_shown(
    client: Client, asked: str, shown: str, goes_on: str
) -> None:
    """With the filter that was just asked for, and never to another site, whatever the browser says."""
    answer = client.get(asked, headers={"HX-Request": "true", "HX-Current-URL": shown})
    assert answer.status_code == 200 and answer["HX-Redirect"] == f"{LOGIN}?next={goes_on}" and not answer.content


@pytest.mark.parametrize(
    "nonsense", ["http://[x", "http://testserver//elsewhere.example/", "x", "http://a/\t//b" + "c" * 3000]
)
def test_a_page_that_cannot_be_named_is_loaded_again(client: Client, nonsense: str) -> None:
    answer = client.get("/runs/1/progress/", headers={"HX-Request": "true", "HX-Current-URL": nonsense})
    assert answer["HX-Refresh"] == "true"
