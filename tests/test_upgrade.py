"""An installation of the version before is upgraded with everything that is in it, and could go back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from samsaas.lib import fields

BEFORE = [("profiles", "0009_edit_guards_and_refused_scopes"), ("subscriptions", "0009_filter_indexes_of_people")]
OLD_SECRET = "fernet:" + Fernet(settings.FIELD_ENCRYPTION_KEYS[0]).encrypt(b"secret").decode()
pytestmark = pytest.mark.django_db(transaction=True)


def migrate(targets: list[tuple[str, str]]) -> Any:
    """The models as they are after these migrations."""
    executor = MigrationExecutor(connection)
    executor.migrate(targets)
    return MigrationExecutor(connection).loader.project_state(targets).apps


@pytest.fixture
def upgrade() -> Iterator[Callable[[], Any]]:
    """Go on to the newest version. Whatever happens, the database ends there."""
    newest = [key for key in MigrationExecutor(connection).loader.graph.leaf_nodes() if key[0] in dict(BEFORE)]
    yield lambda: migrate(newest)
    migrate(newest)


def old_profile(apps: Any) -> Any:
    alias, _ = apps.get_model("profiles", "ConnectionAlias").objects.get_or_create(vendor="dropbox", parent=None)
    return apps.get_model("profiles", "IntegrationProfile").objects.create(
        vendor="dropbox",
        display_name="Europe",
        alias=alias,
        attention="needs_authorisation",
        analyze_activity_from=timezone.now(),
        licences_reported=12,
    )


def old_run(apps: Any, profile: Any, **fields: Any) -> Any:
    given = {"process": "download_subscriptions", "trigger": "manual", "created_at": timezone.now(), **fields}
    return apps.get_model("profiles", "JobRun").objects.create(profile=profile, **given)


def store_words(apps: Any, profile: Any) -> None:
    """Columns and stored words that have another spelling now."""
    apps.get_model("profiles", "Credential").objects.create(
        alias_id=profile.alias_id,
        purpose="subscriptions",
        client_id="key",
        client_secret=fields.Ciphertext(OLD_SECRET),
        client_changed_at=timezone.now(),
        state="needs_authorisation",
    )
    old_run(apps, profile, state="cancelled")
    kind = apps.get_model("subscriptions", "SubscriptionIdentifier").objects.create(vendor="dropbox", identifier="full")
    moments = {"first_seen_at": timezone.now(), "changed_at": timezone.now()}
    apps.get_model("subscriptions", "Subscription").objects.create(
        profile_id=profile.pk,
        external_id="1",
        identifier=kind,
        status="active",
        consumes_licence=False,
        **moments,
    )
    apps.get_model("subscriptions", "Person").objects.create(key="1", name="Ann", cost_centre="CC-20")


def store_preview(apps: Any) -> None:
    """A file of people that was read, and waits to be applied."""
    upload = apps.get_model("subscriptions", "PersonImport").objects.create(
        file_name="people.csv",
        state="preview",
        uploaded_at=timezone.now(),
        counters={"columns": ["key", "name", "cost_centre"], "changed": 1},
    )
    values = {"cells": {"key": "1", "cost_centre": "CC-30"}, "before": {"cost_centre": "CC-20"}}
    apps.get_model("subscriptions", "PersonImportRow").objects.create(
        upload=upload, line=2, effect="changed", key="1", values=values
    )


def store_runs(apps: Any, profile: Any) -> None:
    """A download under way, whose half-filled table has a column with the old name, and one that is over."""
    moment = timezone.now()
    old_run(apps, profile, state="queued", cursor="page 3", cursor_at=moment, pages=2, items=2000)
    old_run(apps, profile, state="succeeded", cursor="the last", cursor_at=moment, pages=9, items=9000)


def store_texts(apps: Any, profile: Any) -> None:
    """Texts as other systems wrote them: decomposed, in capitals, with blanks that do not break, and twice."""
    people = apps.get_model("subscriptions", "Person").objects
    jose = people.create(key=" 00002", name="Jose\u0301\u00a0 Pen\u0303a", department="Ko\u0308ln")
    people.create(key="00003\u00a0", name="MÜLLER, Anna", department="Köln ")
    people.create(key="00003", name="Bob", department="Köln")
    addresses = apps.get_model("subscriptions", "PersonAddress").objects
    for address in ("JOSÉ@acme.example", "jose\u0301@acme.example", "jp@acme.example"):
        addresses.create(person=jose, address=address)
    apps.get_model("subscriptions", "UserExclusion").objects.create(pattern="*@KO\u0308LN.example")
    kind = apps.get_model("subscriptions", "SubscriptionIdentifier").objects.create(vendor="dropbox", identifier="lite")
    for external_id, email in {"2": "JOSE\u0301@Acme.example", "3": "Ann@ACME.example"}.items():
        apps.get_model("subscriptions", "Subscription").objects.create(
            profile_id=profile.pk,
            external_id=external_id,
            identifier=kind,
            status="active",
            email=email,
            employee_id="  É7",
            first_seen_at=timezone.now(),
            changed_at=timezone.now(),
        )


def test_texts_get_one_form_and_people_stay_who_they_are(upgrade: Callable[[], Any]) -> None:
    old = migrate(BEFORE)
    profile = old_profile(old)
    store_texts(old, profile)
    running = old_run(old, profile, process="download_subscriptions", state="running", cursor="page 3")

    new = upgrade()
    people = new.get_model("subscriptions", "Person").objects.order_by("pk")
    assert [(one.key, one.department) for one in people] == [
        ("00002", "Köln"),
        ("00003\u00a0", "Köln"),
        ("00003", "Köln"),
    ], "two people with one number stay two"
    assert [one.compared_name for one in people] == ["josé peña", "anna müller", "bob"]
    assert people[1].compared_key == people[2].compared_key == "00003"
    held = new.get_model("subscriptions", "PersonAddress").objects.order_by("address")
    assert [one.address for one in held] == ["josé@acme.example", "jp@acme.example"]
    assert new.get_model("subscriptions", "UserExclusion").objects.get().pattern == "*@köln.example"
    seats = new.get_model("subscriptions", "Subscription").objects.order_by("external_id")
    assert [one.compared_email for one in seats] == ["josé@acme.example", "ann@acme.example"]
    assert {one.compared_employee_id for one in seats} == {"é7"}
    assert new.get_model("profiles", "JobRun").objects.get(pk=running.pk).cursor == "", "its table lacks the columns"


def test_an_installation_with_data_is_upgraded(upgrade: Callable[[], Any]) -> None:
    old = migrate(BEFORE)
    profile = old_profile(old)
    store_words(old, profile)
    store_preview(old)
    store_runs(old, profile)

    new = upgrade()
    kept = new.get_model("profiles", "IntegrationProfile").objects.get()
    assert (kept.licenses_reported, kept.attention) == (12, "needs_authorization")
    credential = new.get_model("profiles", "Credential").objects.get()
    assert (credential.state, credential.client_secret) == ("needs_authorization", "secret")
    assert not new.get_model("subscriptions", "Subscription").objects.get().consumes_license
    assert new.get_model("subscriptions", "Person").objects.get().cost_center == "CC-20"

    row = new.get_model("subscriptions", "PersonImportRow").objects.get()
    assert row.values == {"cells": {"key": "1", "cost_center": "CC-30"}, "before": {"cost_center": "CC-20"}}
    columns = new.get_model("subscriptions", "PersonImport").objects.get().counters["columns"]
    assert columns == ["key", "name", "cost_center"]

    runs = {run.state: run for run in new.get_model("profiles", "JobRun").objects.all()}
    assert set(runs) == {"canceled", "queued", "succeeded"}
    anew, over = runs["queued"], runs["succeeded"]
    assert (anew.cursor, anew.cursor_at, anew.pages, anew.items) == ("", None, 0, 0)
    assert (over.cursor, over.items) == ("the last", 9000)


def test_grants_that_were_given_up_for_another_reason_are_taken_up_again(upgrade: Callable[[], Any]) -> None:
    """A refused secret or a passing trouble ended the connection once, although the refresh token was kept."""
    reasons = {
        "subscriptions": "The vendor does not accept the app key and secret: Invalid client_id or client_secret.",
        "reclamation": "The vendor no longer honors this connection: refresh token is invalid or revoked.",
    }
    old = migrate([("profiles", "0012_help_texts_in_plain_english"), BEFORE[1]])
    alias, _ = old.get_model("profiles", "ConnectionAlias").objects.get_or_create(vendor="dropbox", parent=None)
    old.get_model("profiles", "IntegrationProfile").objects.create(
        vendor="dropbox",
        display_name="Europe",
        alias=alias,
        attention="needs_authorization",
        analyze_activity_from=timezone.now(),
    )
    for purpose, reason in reasons.items():
        old.get_model("profiles", "Credential").objects.create(
            alias=alias,
            purpose=purpose,
            client_id=purpose,
            client_secret="secret",
            client_changed_at=timezone.now(),
            state="needs_authorization",
            state_reason=reason,
            refresh_token="kept",
        )
    new = upgrade()
    states = dict(new.get_model("profiles", "Credential").objects.values_list("purpose", "state"))
    assert states == {"subscriptions": "connected", "reclamation": "needs_authorization"}
    assert new.get_model("profiles", "IntegrationProfile").objects.get().attention == "client_refused"
