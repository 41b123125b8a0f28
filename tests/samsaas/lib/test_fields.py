"""Secrets at rest: readable only by this application, and by nobody if something is wrong with the keys."""

from __future__ import annotations

import io
import logging

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import F
from django.forms import modelform_factory
from django.test.utils import CaptureQueriesContext
from django.utils.translation import gettext_lazy

from profiles.models import Credential
from samsaas.lib import fields
from tests import factories

pytestmark = pytest.mark.django_db
SECRET = "the-client-secret-Ünïcode-🔑"
TOKEN = "sl.u.the-access-token"


@pytest.fixture
def credential() -> Credential:
    return factories.credential(client_secret=SECRET, access_token=TOKEN)


def stored(credential: Credential, column: str = "client_secret") -> str:
    """What the database really holds."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM profiles_credential WHERE id = %s", [credential.pk])
        return str(cursor.fetchone()[0])


def put(credential: Credential, value: str) -> None:
    """What somebody with access to the database could write."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE profiles_credential SET client_secret = %s WHERE id = %s", [value, credential.pk])


def read(credential: Credential) -> Credential:
    return Credential.objects.get(pk=credential.pk)


def test_the_database_holds_ciphertext_and_the_application_reads_it(credential):
    assert stored(credential).startswith(fields.PREFIX)
    assert SECRET not in stored(credential) and TOKEN not in stored(credential, "access_token")
    assert (read(credential).client_secret, read(credential).access_token) == (SECRET, TOKEN)


def test_the_same_secret_looks_different_every_time(credential):
    assert stored(credential) != stored(factories.credential(client_secret=SECRET))


def test_nothing_stays_nothing(credential):
    assert stored(credential, "refresh_token") == "" and read(credential).refresh_token == ""


def test_every_way_of_writing_encrypts(credential):
    twin = factories.credential(purpose="reclamation")
    fresh = Credential(
        alias=factories.profile().alias,
        purpose="subscriptions",
        client_id="key",
        client_secret="by bulk_create",
        client_changed_at=credential.client_changed_at,
    )
    Credential.objects.bulk_create([fresh])
    Credential.objects.filter(pk=credential.pk).update(client_secret="by update")
    twin.client_secret = "by bulk_update"
    Credential.objects.bulk_update([twin], ["client_secret"])
    for row, secret in ((fresh, "by bulk_create"), (credential, "by update"), (twin, "by bulk_update")):
        assert stored(row).startswith(fields.PREFIX) and secret not in stored(row)
        assert read(row).client_secret == secret


@pytest.mark.parametrize("value", [b"bytes", 42, ["list"], gettext_lazy("a lazy text")])
def test_what_is_no_text_is_refused_instead_of_stored_as_it_is(credential, value):
    before = stored(credential)
    with pytest.raises(TypeError, match="client_secret is encrypted and takes text only"), transaction.atomic():
        Credential.objects.filter(pk=credential.pk).update(client_secret=value)
    assert stored(credential) == before


@pytest.mark.parametrize("keys", [[], ["not a key"], ["x" * 44]])
def test_without_a_usable_key_nothing_is_stored_and_nothing_is_read(credential, settings, keys):
    before, rows = stored(credential), Credential.objects.count()
    settings.FIELD_ENCRYPTION_KEYS = keys
    with pytest.raises(ImproperlyConfigured, match="FIELD_ENCRYPTION_KEYS"), transaction.atomic():
        Credential.objects.filter(pk=credential.pk).update(client_secret="new")
    with pytest.raises(ImproperlyConfigured, match="FIELD_ENCRYPTION_KEYS"), transaction.atomic():
        factories.credential(purpose="reclamation", alias=credential.alias)
    with pytest.raises(ImproperlyConfigured, match="FIELD_ENCRYPTION_KEYS"):
        read(credential)
    assert stored(credential) == before and Credential.objects.count() == rows


def test_another_key_opens_nothing_and_hands_out_no_ciphertext(credential, settings):
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(fields.UndecryptableValue) as refused:
        read(credential)
    with pytest.raises(fields.UndecryptableValue):
        list(Credential.objects.values_list("client_secret", flat=True))
    assert stored(credential) not in str(refused.value)


@pytest.mark.parametrize(
    "tampered",
    [
        pytest.param(lambda held: held[:-4] + ("AAA=" if held[-4:] != "AAA=" else "BBB="), id="another end"),
        pytest.param(lambda held: held[:60], id="cut short"),
        pytest.param(lambda held: held.removeprefix(fields.PREFIX), id="without its prefix"),
        pytest.param(lambda held: "written by hand", id="never encrypted"),
        pytest.param(lambda held: fields.PREFIX, id="prefix alone"),
        pytest.param(lambda held: fields.PREFIX + "ünsinn", id="no base64"),
    ],
)
def test_a_tampered_value_is_refused(credential, tampered):
    put(credential, tampered(stored(credential)))
    with pytest.raises(fields.UndecryptableValue):
        read(credential)


@pytest.mark.parametrize("lookup", ["exact", "in", "contains", "startswith", "gt", "regex"])
def test_a_secret_cannot_be_searched_for(lookup):
    with pytest.raises(FieldError, match="client_secret is encrypted"):
        list(Credential.objects.filter(**{f"client_secret__{lookup}": SECRET}))


def test_whether_a_secret_is_null_can_be_asked(credential):
    assert list(Credential.objects.filter(client_secret__isnull=False)) == [credential]


def test_what_an_expression_writes_past_the_field_is_never_taken_for_a_secret(credential):
    Credential.objects.filter(pk=credential.pk).update(client_secret=F("client_id"))
    with pytest.raises(fields.UndecryptableValue, match="never encrypted"):
        read(credential)


def test_texts_of_an_object_show_no_secret(credential):
    shown = f"{credential} {credential!r} {Credential.objects.all()!r} {[read(credential)]}"
    assert SECRET not in shown and TOKEN not in shown


def test_queries_and_their_log_show_no_secret(credential, caplog):
    with caplog.at_level(logging.DEBUG, logger="django.db.backends"), CaptureQueriesContext(connection) as queries:
        row = read(credential)
        row.client_secret = "another-secret"
        row.save()
    text = caplog.text + "".join(query["sql"] for query in queries)
    assert "UPDATE" in text
    assert not [secret for secret in (SECRET, TOKEN, "another-secret") if secret in text]


def test_a_dump_leaves_secrets_out_and_loads_again(credential, tmp_path):
    dump = io.StringIO()
    call_command("dumpdata", "profiles", stdout=dump)
    assert "key" in dump.getvalue() and fields.PREFIX not in dump.getvalue()
    assert SECRET not in dump.getvalue() and TOKEN not in dump.getvalue()
    file = tmp_path / "dump.json"
    file.write_text(dump.getvalue())
    call_command("loaddata", str(file), verbosity=0)
    assert (read(credential).client_id, read(credential).client_secret) == ("key", "")


def test_a_form_made_from_the_model_has_no_field_for_a_secret(credential):
    form = modelform_factory(Credential, fields="__all__")(instance=credential)
    assert "client_id" in form.fields and "client_secret" not in form.fields
    assert SECRET not in str(form) and TOKEN not in str(form)


def test_pages_of_the_admin_show_no_secret(credential, signed_in):
    client = signed_in("admin")
    for address in ("", f"{credential.pk}/change/"):
        page = client.get(f"/core/profiles/credential/{address}").content.decode()
        assert "key" in page and SECRET not in page and TOKEN not in page
