"""An installation with the wrong key says so everywhere, goes on showing its data, and overwrites nothing."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography.fernet import Fernet
from django.contrib import admin
from django.core.management import call_command
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from profiles.connection import credentials
from profiles.models import Credential, IntegrationProfile, JobRun, OAuthState
from samsaas import policy
from samsaas.models import AuditEntry
from tests import worlds
from tests.test_permissions import addresses

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
NOTICE = "Stored secrets cannot be decrypted"
# Pages that have neither frame nor reader: for machines, or shown before anybody signed in.
WITHOUT_FRAME = {"healthz", "readyz", "login", "logout", "oauth_redirect", "person_import_example"}


def stored_rows() -> list[Any]:
    """The secrets as the database has them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, client_secret, access_token, refresh_token FROM profiles_credential ORDER BY id")
        return list(cursor.fetchall())


@pytest.fixture
def wrong_key(connected: IntegrationProfile, settings: Any) -> list[str]:
    """Take the key away; the test gets the right ones."""
    worlds.work()
    right = list(settings.FIELD_ENCRYPTION_KEYS)
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    return right


def test_every_page_answers_and_the_frame_says_what_is_wrong(
    connected: IntegrationProfile, wrong_key: list[str], signed_in: Any
) -> None:
    client = signed_in("admin")
    client.raise_request_exception = False
    IntegrationProfile.objects.update(display_name="The connected one")
    pages = {name: address for name, address in addresses().items() if "GET" in policy.POLICY[name]}
    pages |= {f"{name} of the connected": connected.get_absolute_url() + end for name, end in OF_A_PROFILE.items()}
    framed, before = 0, stored_rows()
    for name, address in pages.items():
        answer = client.get(address)
        assert answer.status_code < 500, name
        if answer.status_code == 200 and "text/html" in answer["Content-Type"] and name not in WITHOUT_FRAME:
            text = answer.content.decode()
            framed += "</html>" in text
            assert "</html>" not in text or "ecrets cannot be decrypted" in text, name
    assert framed > 25 and stored_rows() == before


OF_A_PROFILE = {"page": "", "form": "edit/", "deletion": "delete/", "disconnecting": "disconnect/"}


def test_every_list_and_row_of_core_ui_answers(wrong_key: list[str], signed_in: Any) -> None:
    client = signed_in("admin")
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        page = client.get(reverse(f"{name}_changelist"))
        assert page.status_code == 200 and NOTICE in page.content.decode(), name
        if row := model._default_manager.first():
            assert client.get(reverse(f"{name}_change", args=[row.pk])).status_code == 200, name


def test_with_the_right_key_no_page_speaks_of_it(connected: IntegrationProfile, integrator: Any) -> None:
    for address in ("/", connected.get_absolute_url()):
        assert NOTICE not in integrator.get(address).content.decode()


@pytest.mark.parametrize("keys", [[], ["no key at all"]])
def test_pages_answer_without_a_usable_key_too(
    connected: IntegrationProfile, integrator: Any, settings: Any, keys: list[str]
) -> None:
    settings.FIELD_ENCRYPTION_KEYS = keys
    for address in ("/", connected.get_absolute_url(), "/integration-profiles/"):
        assert NOTICE in integrator.get(address).content.decode()


def test_disconnecting_deletes_here_and_says_that_the_vendor_was_not_told(
    connected: IntegrationProfile, wrong_key: list[str], integrator: Any, dropbox: Any
) -> None:
    dropbox.unavailable = True
    answer = integrator.post(f"/integration-profiles/{connected.pk}/disconnect/", follow=True)
    page = answer.content.decode()
    assert "its tokens were deleted here. They could not be decrypted, so the vendor could not be told." in page
    assert "disconnect the app in the vendor’s admin console" in page
    held = Credential.objects.get()
    assert (held.state, held.access_token, held.refresh_token) == (Credential.State.NEW, "", "")
    revoked = AuditEntry.objects.get(verb="disconnected").detail["revoked"]
    assert revoked == [{"purpose": "subscriptions", "vendor_confirmed": False, "unreadable": True}]
    profile = IntegrationProfile.objects.get()
    assert profile.status == IntegrationProfile.Status.DRAFT


def test_a_job_refuses_says_why_and_leaves_the_grant_for_the_right_key(
    connected: IntegrationProfile, wrong_key: list[str], settings: Any, integrator: Any
) -> None:
    before = stored_rows()
    integrator.post(f"/integration-profiles/{connected.pk}/download/")
    (run,) = worlds.work()
    assert (run.state, run.error_kind) == (JobRun.State.FAILED, "SecretUnreadable")
    page = integrator.get(run.get_absolute_url()).content.decode()
    assert "A stored secret cannot be used" in page and "manage.py doctor" in page
    assert Credential.objects.get().is_connected and stored_rows() == before
    settings.FIELD_ENCRYPTION_KEYS = wrong_key
    integrator.post(f"/integration-profiles/{connected.pk}/download/")
    assert worlds.work()[0].state == JobRun.State.SUCCEEDED


def test_a_token_that_is_due_is_not_refreshed_with_the_wrong_key(
    connected: IntegrationProfile, wrong_key: list[str], integrator: Any
) -> None:
    Credential.objects.update(expires_at=timezone.now() - timedelta(hours=1))
    before = stored_rows()
    integrator.post(f"/integration-profiles/{connected.pk}/validate/")
    assert [run.state for run in worlds.work()] == [JobRun.State.FAILED]
    held = Credential.objects.get()
    assert held.is_connected and held.lease_until is None and stored_rows() == before


def test_get_oauth_token_stops_before_anybody_is_sent_to_the_vendor(
    connected: IntegrationProfile, wrong_key: list[str], integrator: Any
) -> None:
    attempts = OAuthState.objects.count()
    answer = integrator.post(f"/integration-profiles/{connected.pk}/authorize/", {"purpose": "subscriptions"})
    assert urlsplit(answer["Location"]).path == connected.get_absolute_url()
    assert "The stored secret cannot be read" in integrator.get(answer["Location"]).content.decode()
    assert OAuthState.objects.count() == attempts


def test_a_consent_that_returns_after_the_key_is_gone_stores_nothing(
    draft: IntegrationProfile, dropbox: Any, integrator: Any, settings: Any
) -> None:
    back = worlds.consent(dropbox, worlds.press(integrator, draft))
    before = stored_rows()
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    page = integrator.get(back, follow=True).content.decode()
    assert "The stored secret cannot be read" in page and "Nothing was stored" in page
    assert stored_rows() == before


def test_a_secret_typed_in_now_is_refused_and_would_be_lost_later(
    connected: IntegrationProfile, wrong_key: list[str], integrator: Any
) -> None:
    before, address = stored_rows(), f"/integration-profiles/{connected.pk}/edit/"
    form = {name: value for name, value in integrator.get(address).context["form"].initial.items() if value}
    form["analyze_activity_from"] = connected.analyze_activity_from.strftime("%Y-%m-%dT%H:%M")
    answer = integrator.post(address, {**form, "client_secret": "another-secret"})
    assert answer.status_code == 200 and "would be lost when the right key is back" in answer.content.decode()
    assert stored_rows() == before


def test_a_secret_that_was_changed_in_the_database_is_replaced_by_the_one_typed_in(
    connected: IntegrationProfile,
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE profiles_credential SET client_secret = access_token")
    assert credentials.save_client(connected.alias, "subscriptions", Credential.objects.get().client_id, "typed in")
    assert Credential.objects.get().client_secret == "typed in"


def test_the_doctor_names_columns_and_no_secret(wrong_key: list[str]) -> None:
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("doctor", "--json", stdout=out)
    said = [one for one in json.loads(out.getvalue())["findings"] if one["check"] == "stored secrets"]
    assert {one["level"] for one in said} == {"FAIL"} and len(said) == 3
    assert "1 of profiles.Credential.client_secret cannot be decrypted." in {one["message"] for one in said}
    assert not [part for row in stored_rows() for part in row[1:] if part in out.getvalue()]
