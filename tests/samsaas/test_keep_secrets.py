"""A form with one wrong field keeps the secret typed in another: on the server, for minutes, for the same person."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from profiles.models import Credential
from samsaas import keep_secrets
from samsaas.lib.secrets_form import TYPE_AGAIN
from samsaas.models import AuditEntry, KeptSecret, Webhook
from tests.profiles.test_lost_updates import opened
from tests.samsaas.test_reauthenticate import is_asked, later

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
SECRET = "canary-typed-secret-4711"


@pytest.fixture
def path(draft: Any) -> str:
    return f"/integration-profiles/{draft.pk}/edit/"


def refused(client: Any, path: str) -> dict[str, str]:
    """Send a new secret with a wrong other field; what the page that comes back holds, put right."""
    answer = client.post(path, opened(client, path) | {"client_secret": SECRET, "display_name": ""})
    page = answer.content.decode()
    assert "This field is required." in page and SECRET not in page and "Leave empty to use what you typed" in page
    token = re.search(r'name="kept_secrets" value="([^"]+)"', page)
    assert token
    return opened(client, path) | {"display_name": "Put right", "kept_secrets": token[1]}


def stored_secret() -> str:
    return Credential.objects.get().client_secret


def test_the_second_post_without_the_secret_stores_it_and_nothing_is_left_of_it(integrator: Any, path: str) -> None:
    again = refused(integrator, path)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM samsaas_keptsecret")
        assert SECRET not in str(cursor.fetchall()), "it is encrypted"
    assert integrator.post(path, again).status_code == 302
    assert stored_secret() == SECRET and not KeptSecret.objects.exists()
    assert SECRET not in str(list(AuditEntry.objects.values()))


def test_a_form_that_is_wrong_twice_keeps_it_on(integrator: Any, path: str) -> None:
    again = refused(integrator, path)
    page = integrator.post(path, again | {"display_name": ""}).content.decode()
    token = re.search(r'name="kept_secrets" value="([^"]+)"', page)
    assert token and SECRET not in page and KeptSecret.objects.count() == 1
    integrator.post(path, again | {"kept_secrets": token[1]})
    assert stored_secret() == SECRET


def test_another_secret_that_is_typed_counts(integrator: Any, path: str) -> None:
    integrator.post(path, refused(integrator, path) | {"client_secret": "the-other-one"})
    assert stored_secret() == "the-other-one"


def test_when_the_time_is_over_the_form_says_what_to_type_again(integrator: Any, path: str) -> None:
    before, again = stored_secret(), refused(integrator, path)
    with time_machine.travel(timezone.now() + keep_secrets.KEEP_FOR + timedelta(seconds=1), tick=True):
        assert TYPE_AGAIN in integrator.post(path, again).content.decode()
    assert stored_secret() == before


def test_what_nobody_came_back_for_is_purged(integrator: Any, path: str) -> None:
    refused(integrator, path)
    assert keep_secrets.discard_old(timezone.now()) == 0
    assert keep_secrets.discard_old(timezone.now() + keep_secrets.KEEP_FOR + timedelta(seconds=1)) == 1
    assert not KeptSecret.objects.exists()


def test_it_is_of_use_to_nobody_else_in_no_other_session_and_on_no_other_form(
    integrator: Any, signed_in: Any, draft: Any, path: str
) -> None:
    before, again = stored_secret(), refused(integrator, path)
    colleague = signed_in("sam_integrator", username="colleague")
    assert TYPE_AGAIN in colleague.post(path, again).content.decode()
    alias = f"/aliases/{draft.alias_id}/edit/"
    other = opened(integrator, alias) | {"kept_secrets": again["kept_secrets"]}
    assert TYPE_AGAIN in integrator.post(alias, other).content.decode()
    integrator.logout()
    integrator.force_login(integrator.user)
    assert TYPE_AGAIN in integrator.post(path, again).content.decode()
    assert stored_secret() == before


def test_a_kept_secret_asks_for_the_password_as_a_typed_one_does(integrator: Any, path: str) -> None:
    again = refused(integrator, path)
    with later(minutes=9):
        session = integrator.session
        session["samsaas_password_given"] -= 3600
        session.save()
        assert is_asked(integrator.post(path, again))


def test_the_address_of_a_webhook_is_kept_and_not_sent_back(signed_in: Any) -> None:
    admin, address = signed_in("admin"), f"https://hooks.example.com/services/{SECRET}"
    sent = {"name": "Chat", "style": "slack", "url": address, "active": "on"}
    page = admin.post("/webhooks/new/", sent).content.decode()
    token = re.search(r'name="kept_secrets" value="([^"]+)"', page)
    assert token and SECRET not in page
    admin.post("/webhooks/new/", sent | {"url": "", "kinds": ["run.failed"], "kept_secrets": token[1]})
    assert Webhook.objects.get().url == address
