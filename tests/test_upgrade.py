"""An installation of the version before is upgraded with everything that is in it, and could go back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from samsaas.lib import fields
from samsaas.models import AuditEntry
from tests import trail

BEFORE = [
    ("profiles", "0009_edit_guards_and_refused_scopes"),
    ("samsaas", "0003_audit_by_actor"),
    ("subscriptions", "0009_filter_indexes_of_people"),
]
BETWEEN = [("profiles", "0012_help_texts_in_plain_english"), *BEFORE[1:]]
OLD_SECRET = "fernet:" + Fernet(settings.FIELD_ENCRYPTION_KEYS[0]).encrypt(b"secret").decode()
pytestmark = pytest.mark.django_db(transaction=True)


def migrate(targets: list[tuple[str, str]]) -> Any:
    """The models as they are after these migrations."""
    executor = MigrationExecutor(connection)
    executor.migrate(targets)
    return MigrationExecutor(connection).loader.project_state(targets).apps


@pytest.fixture(autouse=True)
def ends_at_the_newest() -> Iterator[None]:
    """Whatever happens. What follows a migration, such as the triggers of the audit trail, belongs to it."""
    yield
    call_command("migrate", verbosity=0)


def old_profile(old: Any, name: str = "Europe", **fields: Any) -> Any:
    """One with an alias of its own below the vendor's."""
    aliases = old.get_model("profiles", "ConnectionAlias").objects
    parent, _ = aliases.get_or_create(vendor="dropbox", parent=None)
    given = {"vendor": "dropbox", "analyze_activity_from": timezone.now(), **fields}
    alias = aliases.create(vendor="dropbox", name=name, parent=parent)
    return old.get_model("profiles", "IntegrationProfile").objects.create(display_name=name, alias=alias, **given)


def old_run(old: Any, profile: Any, **fields: Any) -> Any:
    given = {"process": "download_subscriptions", "trigger": "manual", "created_at": timezone.now(), **fields}
    return old.get_model("profiles", "JobRun").objects.create(profile=profile, **given)


def store_words(old: Any, profile: Any) -> None:
    """Columns and stored words that have another spelling now."""
    old.get_model("profiles", "Credential").objects.create(
        alias_id=profile.alias_id,
        purpose="subscriptions",
        client_id="key",
        client_secret=fields.Ciphertext(OLD_SECRET),
        client_changed_at=timezone.now(),
        state="needs_authorisation",
    )
    old_run(old, profile, state="cancelled")
    kind = old.get_model("subscriptions", "SubscriptionIdentifier").objects.create(vendor="dropbox", identifier="full")
    moments = {"first_seen_at": timezone.now(), "changed_at": timezone.now()}
    old.get_model("subscriptions", "Subscription").objects.create(
        profile_id=profile.pk,
        external_id="1",
        identifier=kind,
        status="active",
        consumes_licence=False,
        **moments,
    )
    old.get_model("subscriptions", "Person").objects.create(key="1", name="Ann", cost_centre="CC-20")


def store_preview(old: Any) -> None:
    """A file of people that was read, and waits to be applied."""
    upload = old.get_model("subscriptions", "PersonImport").objects.create(
        file_name="people.csv",
        state="preview",
        uploaded_at=timezone.now(),
        counters={"columns": ["key", "name", "cost_centre"], "changed": 1},
    )
    values = {"cells": {"key": "1", "cost_centre": "CC-30"}, "before": {"cost_centre": "CC-20"}}
    old.get_model("subscriptions", "PersonImportRow").objects.create(
        upload=upload, line=2, effect="changed", key="1", values=values
    )


def store_runs(old: Any, profile: Any) -> None:
    """A download under way, whose half-filled table has a column with the old name, and one that is over."""
    moment = timezone.now()
    old_run(old, profile, state="queued", cursor="page 3", cursor_at=moment, pages=2, items=2000)
    old_run(old, profile, state="succeeded", cursor="the last", cursor_at=moment, pages=9, items=9000)


def store_texts(old: Any, profile: Any) -> None:
    """Texts as other systems wrote them: decomposed, in capitals, with blanks that do not break, and twice."""
    people = old.get_model("subscriptions", "Person").objects
    jose = people.create(key=" 00002", name="Jose\u0301\u00a0 Pen\u0303a", department="Ko\u0308ln")
    people.create(key="00003\u00a0", name="MÜLLER, Anna", department="Köln ")
    people.create(key="00003", name="Bob", department="Köln")
    addresses = old.get_model("subscriptions", "PersonAddress").objects
    for address in ("JOSÉ@acme.example", "jose\u0301@acme.example", "jp@acme.example"):
        addresses.create(person=jose, address=address)
    old.get_model("subscriptions", "UserExclusion").objects.create(pattern="*@KO\u0308LN.example")
    kind = old.get_model("subscriptions", "SubscriptionIdentifier").objects.create(vendor="dropbox", identifier="lite")
    for external_id, email in {"2": "JOSE\u0301@Acme.example", "3": "Ann@ACME.example"}.items():
        old.get_model("subscriptions", "Subscription").objects.create(
            profile_id=profile.pk,
            external_id=external_id,
            identifier=kind,
            status="active",
            email=email,
            employee_id="  É7",
            first_seen_at=timezone.now(),
            changed_at=timezone.now(),
        )


def store_trail(old: Any) -> None:
    """Entries that named their actor by a foreign key, and that anybody could change."""
    ann = old.get_model("auth", "User").objects.create(username="ann")
    made = old.get_model("samsaas", "AuditEntry").objects.create
    made(at=timezone.now(), actor_id=ann.pk, actor_name="ann", verb="changed", detail={"a": [1, None]})
    made(at=timezone.now(), actor=None, actor_name="", verb="needs authorization", detail={})


GIVEN_UP = {
    "subscriptions": "The vendor does not accept the app key and secret: Invalid client_id or client_secret.",
    "reclamation": "The vendor no longer honors this connection: refresh token is invalid or revoked.",
}


def store_grants(old: Any) -> None:
    """A refused secret or a passing trouble ended the connection once, although the refresh token was kept."""
    alias = old_profile(old, "Given up", attention="needs_authorization").alias
    for purpose, reason in GIVEN_UP.items():
        old.get_model("profiles", "Credential").objects.create(
            alias=alias,
            purpose=purpose,
            client_id=purpose,
            client_changed_at=timezone.now(),
            state="needs_authorization",
            state_reason=reason,
            client_secret=fields.Ciphertext(OLD_SECRET),
            refresh_token=fields.Ciphertext(OLD_SECRET),
        )


def test_an_installation_with_data_is_upgraded() -> None:
    """To go back and on again takes a minute, so that all of it happens once, with everything an old one may hold."""
    trail.drop_triggers()
    old = migrate(BEFORE)
    profile = old_profile(old, attention="needs_authorisation", licences_reported=12)
    store_words(old, profile)
    store_preview(old)
    store_runs(old, profile)
    store_texts(old, profile)
    store_trail(old)
    running = old_run(old, old_profile(old, "Busy"), process="download_subscriptions", state="running", cursor="page 3")
    store_grants(migrate(BETWEEN))

    call_command("migrate", verbosity=0)
    check_words(apps)
    check_preview(apps)
    check_runs(apps, running)
    check_texts(apps)
    check_trail()
    check_grants(apps)


def check_words(new: Any) -> None:
    kept = new.get_model("profiles", "IntegrationProfile").objects.get(display_name="Europe")
    assert (kept.licenses_reported, kept.attention) == (12, "needs_authorization")
    credential = new.get_model("profiles", "Credential").objects.get(client_id="key")
    assert (credential.state, credential.client_secret) == ("needs_authorization", "secret")
    assert not new.get_model("subscriptions", "Subscription").objects.get(external_id="1").consumes_license
    assert new.get_model("subscriptions", "Person").objects.get(key="1").cost_center == "CC-20"


def check_preview(new: Any) -> None:
    row = new.get_model("subscriptions", "PersonImportRow").objects.get()
    assert row.values == {"cells": {"key": "1", "cost_center": "CC-30"}, "before": {"cost_center": "CC-20"}}
    columns = new.get_model("subscriptions", "PersonImport").objects.get().counters["columns"]
    assert columns == ["key", "name", "cost_center"]


def check_runs(new: Any, running: Any) -> None:
    runs = new.get_model("profiles", "JobRun").objects
    states = sorted(runs.values_list("state", flat=True))
    assert states == ["canceled", "queued", "running", "succeeded"]
    anew, over = runs.get(state="queued"), runs.get(state="succeeded")
    assert (anew.cursor, anew.cursor_at, anew.pages, anew.items) == ("", None, 0, 0)
    assert (over.cursor, over.items) == ("the last", 9000)
    assert runs.get(pk=running.pk).cursor == "", "its table lacks the columns"


def check_texts(new: Any) -> None:
    """Texts get one form, and people stay who they are."""
    people = new.get_model("subscriptions", "Person").objects.exclude(key="1").order_by("pk")
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
    seats = new.get_model("subscriptions", "Subscription").objects.exclude(external_id="1").order_by("external_id")
    assert [one.compared_email for one in seats] == ["josé@acme.example", "ann@acme.example"]
    assert {one.compared_employee_id for one in seats} == {"é7"}


def check_trail() -> None:
    """Entries keep their actor, whatever becomes of the account, and nobody changes them any more."""
    ann = User.objects.get(username="ann")
    kept = list(AuditEntry.objects.order_by("pk").values())
    assert [(row["actor_id"], row["actor_name"], row["detail"]) for row in kept] == [
        (ann.pk, "ann", {"a": [1, None]}),
        (None, "", {}),
    ]
    ann.delete()
    assert list(AuditEntry.objects.order_by("pk").values()) == kept
    with pytest.raises(IntegrityError), transaction.atomic():
        AuditEntry.objects.all().delete()


def check_grants(new: Any) -> None:
    """Grants that were given up for another reason than the vendor's are taken up again."""
    states = new.get_model("profiles", "Credential").objects.filter(alias__name="Given up")
    assert dict(states.values_list("purpose", "state")) == {
        "subscriptions": "connected",
        "reclamation": "needs_authorization",
    }
    profile = new.get_model("profiles", "IntegrationProfile").objects.get(display_name="Given up")
    assert profile.attention == "client_refused"
