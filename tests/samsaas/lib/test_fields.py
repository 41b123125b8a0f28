"""Secrets at rest: readable only by this application, and by nobody if something is wrong with the keys."""

from __future__ import annotations

import io
import logging
from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest
from cryptography.fernet import Fernet
from django.conf import settings
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.core.management import call_command
from django.db import IntegrityError, connection, models, transaction
from django.db.models import F
from django.forms import modelform_factory
from django.test.utils import CaptureQueriesContext
from django.utils.translation import gettext_lazy

from profiles.models import Credential
from samsaas.lib import encryption, fields
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


def unbound(secret: str) -> str:
    """What a release before this one stored."""
    return f"fernet:{Fernet(settings.FIELD_ENCRYPTION_KEYS[0]).encrypt(secret.encode()).decode()}"


def read(credential: Credential) -> Credential:
    return Credential.objects.get(pk=credential.pk)


def test_the_database_holds_ciphertext_and_the_application_reads_it(credential):
    assert stored(credential).startswith(encryption.PREFIX)
    assert SECRET not in stored(credential) and TOKEN not in stored(credential, "access_token")
    assert (read(credential).client_secret, read(credential).access_token) == (SECRET, TOKEN)


def test_the_same_secret_looks_different_every_time(credential):
    assert stored(credential) != stored(factories.credential(client_secret=SECRET))


def test_nothing_stays_nothing(credential):
    assert stored(credential, "refresh_token") == "" and read(credential).refresh_token == ""


def test_every_way_of_writing_encrypts(credential):
    twin = factories.credential(purpose="reclamation")
    fresh = factories.credential(client_secret="by create")
    Credential.objects.filter(pk=credential.pk).update(client_secret="by update", generation=F("generation") + 1)
    twin.client_secret = "by save"
    twin.save(update_fields=["client_secret"])
    for row, secret in ((fresh, "by create"), (credential, "by update"), (twin, "by save")):
        assert stored(row).startswith(encryption.PREFIX) and secret not in stored(row)
        assert read(row).client_secret == secret
    assert read(credential).generation == 1


def test_an_update_of_many_rows_binds_the_secret_to_each(credential):
    others = [factories.credential() for _ in range(3)]
    assert Credential.objects.exclude(pk=others[0].pk).update(client_secret="the same") == 3
    assert [read(one).client_secret for one in (credential, *others)] == ["the same", "secret", "the same", "the same"]
    assert len({stored(one) for one in (credential, *others)}) == 4


def test_ways_of_writing_that_do_not_know_the_row_are_refused(credential):
    before, row = (
        stored(credential),
        Credential(
            alias=factories.profile().alias,
            purpose="subscriptions",
            client_id="key",
            client_secret="by bulk_create",
            client_changed_at=credential.client_changed_at,
        ),
    )
    credential.client_secret = "by bulk_update"
    for write in (
        lambda: Credential.objects.bulk_create([row]),
        lambda: Credential.objects.bulk_update([credential], ["client_secret"]),
        lambda: Credential._base_manager.filter(pk=credential.pk).update(client_secret="past the manager"),
    ):
        with pytest.raises(TypeError, match="client_secret is bound to its row"), transaction.atomic():
            write()
    assert stored(credential) == before and Credential.objects.count() == 1


def test_a_new_row_that_cannot_be_stored_leaves_nothing_behind(credential):
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.credential(alias=credential.alias)
    assert Credential.objects.count() == 1


def test_saving_a_row_writes_unread_secrets_back_as_they_were(credential, settings):
    before, row = stored(credential), read(credential)
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    row.state_reason = "changed without the key"
    row.save()
    row.refresh_from_db()
    assert stored(credential) == before and row.state_reason == "changed without the key"
    with pytest.raises(encryption.UndecryptableValue):
        _ = row.client_secret


def test_loading_many_rows_again_and_again_decrypts_nothing(credential, monkeypatch):
    monkeypatch.setattr(encryption, "decrypt", None)
    row = Credential.objects.select_related("alias").get()
    row.refresh_from_db()
    assert [row.pk for row in Credential.objects.defer("access_token")] == [row.pk]
    assert str(Credential.objects.values_list("client_secret", flat=True)[0]) == "[encrypted]"


def test_a_secret_left_out_of_a_query_is_read_when_it_is_needed(credential):
    row = Credential.objects.only("client_id").get()
    assert (row.client_secret, row.access_token) == (SECRET, TOKEN)


@pytest.mark.parametrize("stranger", ["another column", "another row", "another table", "another key id"])
def test_a_ciphertext_opens_only_where_it_was_stored(credential, settings, stranger):
    """Who can write to the database moves ciphertexts; the keys are elsewhere."""
    other = factories.credential(client_secret="of another app")
    held = {
        "another column": stored(credential, "access_token"),
        "another row": stored(other),
        "another table": encryption.encrypt(
            "secret", encryption.Place("profiles_oauthstate", "client_secret", credential.pk)
        ),
    }
    if stranger == "another key id":
        settings.FIELD_ENCRYPTION_KEYS = [*settings.FIELD_ENCRYPTION_KEYS, Fernet.generate_key().decode()]
        ours, others = encryption.current_prefixes()
        held[stranger] = stored(credential).replace(ours, others)
    put(credential, held[stranger])
    with pytest.raises(encryption.UndecryptableValue, match="belongs to another row or column"):
        _ = read(credential).client_secret


def test_every_flipped_bit_is_noticed(credential):
    head, _, encoded = stored(credential).rpartition(":")
    sealed = urlsafe_b64decode(encoded)
    for place in range(len(sealed)):
        flipped = bytes([*sealed[:place], sealed[place] ^ 1, *sealed[place + 1 :]])
        put(credential, f"{head}:{urlsafe_b64encode(flipped).decode()}")
        with pytest.raises(encryption.UndecryptableValue):
            _ = read(credential).client_secret


def test_every_changed_letter_is_noticed():
    place = encryption.Place("table", "column", 1)
    for secret in ("x", "xy", "xyz"):  # with two, one and no sign of padding
        held = encryption.encrypt(secret, place)
        for number, letter in enumerate(held):
            for changed in {chr(ord(letter) ^ bit) for bit in (1, 2, 4, 8, 16, 32)} | {"", letter + "\n"}:
                with pytest.raises(encryption.UndecryptableValue):
                    encryption.decrypt(held[:number] + changed + held[number + 1 :], place)


def test_a_secret_in_the_old_format_is_refused_although_its_key_is_here(credential):
    put(credential, unbound("an old secret"))
    with pytest.raises(encryption.UnboundValue):
        _ = read(credential).client_secret


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
        _ = read(credential).client_secret
    assert stored(credential) == before and Credential.objects.count() == rows


def test_another_key_opens_nothing_and_hands_out_no_ciphertext(credential, settings):
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(encryption.UndecryptableValue) as refused:
        _ = read(credential).client_secret
    assert stored(credential) not in str(refused.value)
    assert stored(credential) not in f"{list(Credential.objects.values_list('client_secret', flat=True))}"


@pytest.mark.parametrize(
    "tampered",
    [
        pytest.param(lambda held: held[:-4] + ("AAA=" if held[-4:] != "AAA=" else "BBB="), id="another end"),
        pytest.param(lambda held: held[:60], id="cut short"),
        pytest.param(lambda held: held.removeprefix(encryption.PREFIX), id="without its prefix"),
        pytest.param(lambda held: "written by hand", id="never encrypted"),
        pytest.param(lambda held: encryption.PREFIX, id="prefix alone"),
        pytest.param(lambda held: encryption.PREFIX + "ünsinn", id="no base64"),
    ],
)
def test_a_tampered_value_is_refused(credential, tampered):
    put(credential, tampered(stored(credential)))
    with pytest.raises(encryption.UndecryptableValue):
        _ = read(credential).client_secret


@pytest.mark.parametrize("lookup", ["exact", "in", "contains", "startswith", "gt", "regex"])
def test_a_secret_cannot_be_searched_for(lookup):
    with pytest.raises(FieldError, match="client_secret is encrypted"):
        list(Credential.objects.filter(**{f"client_secret__{lookup}": SECRET}))


def test_whether_a_secret_is_null_can_be_asked(credential):
    assert list(Credential.objects.filter(client_secret__isnull=False)) == [credential]


def test_what_an_expression_writes_past_the_field_is_never_taken_for_a_secret(credential):
    Credential.objects.filter(pk=credential.pk).update(client_secret=F("client_id"))
    with pytest.raises(encryption.UndecryptableValue, match="never encrypted"):
        _ = read(credential).client_secret


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
    assert "key" in dump.getvalue() and encryption.PREFIX not in dump.getvalue()
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


def test_a_model_that_could_not_bind_its_secrets_is_refused_by_a_system_check():
    class Loose(models.Model):  # noqa: DJ008 - nobody sees a row of it
        token = fields.EncryptedTextField()

        class Meta:
            app_label = "made_up"

    assert [problem.id for problem in Loose._meta.get_field("token").check()] == ["samsaas.E005"]
    assert Credential._meta.get_field("client_secret").check() == []
