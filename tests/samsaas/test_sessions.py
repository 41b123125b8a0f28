"""Sessions and cookies: what the database holds, what the browser gets, what keeps a session alive, and what goes."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.conf import settings as configured
from django.contrib.messages import get_messages
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.utils import timezone

from profiles.models import IntegrationProfile, OAuthState
from samsaas import middleware, policy, purge_expired, schedule
from samsaas.models import GuessCount
from samsaas.sessions import SessionStore, stored_key
from tests import factories, test_permissions, worlds
from tests.samsaas.sign_in_world import PASSWORD, guess, is_signed_in, try_to
from tests.samsaas.test_hardening import production

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
ROOT = Path(__file__).parent.parent.parent
__all__ = ["production"]  # a fixture


# --- at rest ----------------------------------------------------------------------------------------------------------


def test_no_session_key_stands_in_the_database(ann: Any, client: Client) -> None:
    try_to(client)
    is_signed_in(client)
    key = client.cookies["sessionid"].value
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM django_session")
        rows = str(cursor.fetchall())
    assert rows.count(stored_key(key)) == 1 and key not in rows


def test_what_stands_in_the_database_opens_no_session(ann: Any, client: Client) -> None:
    try_to(client)
    stolen = Client()
    stolen.cookies["sessionid"] = Session.objects.get().session_key
    assert is_signed_in(client) and not is_signed_in(stolen)


@pytest.mark.parametrize("key", ["x" * 5000, "short", "ü" * 32, "'; DROP TABLE django_session; --", "\0" * 20, ""])
def test_a_cookie_of_nonsense_is_a_visitor(client: Client, key: str) -> None:
    client.cookies["sessionid"] = key
    assert not is_signed_in(client)


def test_a_session_is_stored_read_renamed_and_deleted_like_any_other() -> None:
    session = SessionStore()
    session["word"] = "kept"
    session.save()
    first = session.session_key
    assert first and SessionStore(first)["word"] == "kept" and session.exists(first)
    session.cycle_key()
    assert session.session_key != first and not session.exists(first)
    assert SessionStore(session.session_key)["word"] == "kept"
    session.delete()
    assert not Session.objects.exists() and not SessionStore(first).get("word")


# --- what the browser gets --------------------------------------------------------------------------------------------


def test_every_cookie_of_every_page_and_act_is_locked(account: Any, production: Client) -> None:
    """Over https, as an administrator walks through all of it, wrong passwords, messages and the way out included."""
    account("admin", username="root")
    factories.run()
    browser = Client(headers={"host": "samsaas.example.com"})
    seen: dict[str, Any] = {}

    def note(answer: Any) -> None:
        seen.update({f"{name} of {answer.request['PATH_INFO']}": morsel for name, morsel in answer.cookies.items()})

    note(browser.get("/accounts/login/", secure=True))
    for password in ("wrong", PASSWORD):
        note(browser.post("/accounts/login/", {"username": "root", "password": password}, secure=True))
    for name, address in sorted(test_permissions.addresses().items()):
        if name == "logout":
            continue
        for method in ("get", "post"):
            note(getattr(browser, method)(address, secure=True))
    note(browser.post("/accounts/logout/", secure=True))
    assert len(seen) > 20
    for place, morsel in seen.items():
        assert place.startswith("__Host-"), place
        assert morsel["path"] == "/" and not morsel["domain"], place
        if morsel.value:  # an emptied cookie is a deletion
            assert morsel["secure"] and morsel["httponly"] and morsel["samesite"] in ("Lax", "Strict"), place


def test_messages_are_in_no_cookie_and_still_shown(integrator: Any, draft: Any) -> None:
    answer = integrator.post(f"/integration-profiles/{draft.pk}/disconnect/")
    assert set(answer.cookies) <= {"sessionid"}
    assert [str(message) for message in get_messages(answer.wsgi_request)]
    assert "is disconnected" in integrator.get(f"/integration-profiles/{draft.pk}/").content.decode()


# --- what keeps it alive ----------------------------------------------------------------------------------------------


def test_a_page_that_fetches_something_by_itself_keeps_no_session_alive(
    integrator: Any, connected: IntegrationProfile, client: Client
) -> None:
    run = factories.run()
    polls = (f"/runs/{run.pk}/progress/", f"/integration-profiles/{connected.pk}/waiting/")
    with time_machine.travel(NOW, tick=False) as clock:
        client.force_login(integrator.user)
        assert is_signed_in(client)
        for _ in range(29):
            clock.shift(timedelta(minutes=1))
            assert [client.get(path).status_code for path in polls] == [200, 200]
        clock.shift(timedelta(minutes=2))
        assert client.get(polls[0], headers={"HX-Request": "true"})["HX-Refresh"] == "true"
        assert not is_signed_in(client)


def test_whoever_signs_in_and_only_watches_is_signed_out_too(ann: Any, client: Client) -> None:
    run = factories.run()
    with time_machine.travel(NOW, tick=False) as clock:
        try_to(client)
        for _ in range(33):
            clock.shift(timedelta(minutes=1))
            client.get(f"/runs/{run.pk}/progress/")
        assert not is_signed_in(client)


def test_everything_that_polls_is_known_to_the_session_limits() -> None:
    """A template that fetches every few seconds, or waits for the vendor's window."""
    polling = re.compile(
        r"""hx-get="\{% url '(\w+)'[^>]*?hx-trigger="every|data-authorization-poll="\{% url '(\w+)'""", re.DOTALL
    )
    found = set()
    for template in (ROOT / "templates").rglob("*.html"):
        text = template.read_text()
        names = [first or second for first, second in polling.findall(text)]
        found |= set(names)
        assert len(names) >= text.count('hx-trigger="every') + text.count("data-authorization-poll=") // 1, template
    assert found == middleware.POLLED and policy.POLICY.keys() > found


# --- what goes --------------------------------------------------------------------------------------------------------


def test_the_beat_purges_what_is_over_and_keeps_what_is_not(
    integrator: Any, draft: IntegrationProfile, dropbox: Any, client: Client
) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        integrator.force_login(integrator.user)
        worlds.press(integrator, draft)
        guess(Client(), 2, "nobody")
        assert (Session.objects.count(), OAuthState.objects.count()) == (1, 1)
        schedule.purge()
        assert OAuthState.objects.count() == 1 and GuessCount.objects.count() == 3
        clock.shift(timedelta(days=1, minutes=5))
        client.force_login(integrator.user)
        schedule.purge()
        assert Session.objects.get().session_key == stored_key(client.session.session_key or "")
        assert not OAuthState.objects.exists() and not GuessCount.objects.exists()


def test_purging_is_a_part_of_every_installation_and_comes_at_least_daily() -> None:
    entry = next(one for one in configured.CELERY_BEAT_SCHEDULE.values() if one["task"] == "samsaas.schedule.purge")
    assert entry["schedule"] <= timedelta(days=1)
    assert set(purge_expired.run(timezone.now()).values()) == {0}
