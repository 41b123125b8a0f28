"""Changing the keys of stored secrets: while others write, interrupted, and after a key was lost."""

from __future__ import annotations

import io
import re
import threading

import pytest
from cryptography.fernet import Fernet
from django.conf import settings as django_settings
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.db import connection

from profiles.connection import credentials as connections
from profiles.models import Credential, IntegrationProfile, JobRun, OAuthState
from samsaas import stored_secrets
from samsaas.lib import ciphertexts as lib_ciphertexts, encryption
from samsaas.models import AuditEntry
from tests import factories, worlds

pytestmark = pytest.mark.django_db
TOKENS = stored_secrets.Column(Credential, "access_token")


def new_key() -> str:
    out = io.StringIO()
    call_command("new_field_key", stdout=out)
    return out.getvalue().strip()


def rotate(*arguments: str) -> str:
    out = io.StringIO()
    call_command("rotate_field_keys", *arguments, stdout=out)
    return out.getvalue()


def add_key(settings) -> str:
    key = new_key()
    settings.FIELD_ENCRYPTION_KEYS = [key, *settings.FIELD_ENCRYPTION_KEYS]
    return key


def lose_the_old_keys(settings) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [new_key()]


def connected_credential(number: int = 0) -> Credential:
    return factories.credential(
        client_secret=f"secret-{number}", access_token=f"access-{number}", refresh_token=f"refresh-{number}"
    )


def in_the_old_format(secret: str) -> str:
    """What a release before this one stored."""
    return "fernet:" + Fernet(django_settings.FIELD_ENCRYPTION_KEYS[0]).encrypt(secret.encode()).decode()


def write(credential: Credential, ciphertext: str) -> None:
    """What somebody with access to the database can do."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE profiles_credential SET access_token = %s WHERE id = %s", [ciphertext, credential.pk])


def ciphertexts() -> dict[str, list[tuple[object, str]]]:
    return {str(column): list(column.iterate_ciphertexts()) for column in stored_secrets.encrypted_columns()}


def test_every_encrypted_column_of_every_model_is_found():
    assert {str(column) for column in stored_secrets.encrypted_columns()} == {
        "samsaas.KeptSecret.secrets",
        "samsaas.Mail.secret",
        "samsaas.SecondFactorSecret.text",
        "samsaas.Webhook.secret",
        "samsaas.Webhook.url",
        "profiles.Credential.client_secret",
        "profiles.Credential.access_token",
        "profiles.Credential.refresh_token",
        "profiles.OAuthState.verifier",
    }


def test_a_new_key_is_usable_and_never_the_same():
    first, second = new_key(), new_key()
    assert first != second
    assert Fernet(first.encode()).decrypt(Fernet(first).encrypt(b"x")) == b"x"


def test_a_key_is_changed_in_the_documented_steps(settings):
    credentials = [connected_credential(number) for number in range(3)]
    new = add_key(settings)
    credentials.append(connected_credential(3))  # written by a process that already has the new key
    said = rotate()
    assert "profiles.Credential.access_token: 3 re-encrypted, 1 already under the first key, 0 unreadable" in said
    assert "restart every web, worker and beat process" in said and "may be removed" not in said
    again = rotate()
    assert "profiles.Credential.access_token: 0 re-encrypted, 4 already under the first key" in again
    assert "The other 1 key(s) in FIELD_ENCRYPTION_KEYS may be removed" in again
    settings.FIELD_ENCRYPTION_KEYS = [new]
    for number, credential in enumerate(credentials):
        held = Credential.objects.get(pk=credential.pk)
        assert (held.client_secret, held.access_token) == (f"secret-{number}", f"access-{number}")
    assert "key(s)" not in rotate()


def test_changing_keys_prints_no_secret_and_no_ciphertext(settings):
    connected_credential()
    before = [stored for rows in ciphertexts().values() for _, stored in rows]
    key = add_key(settings)
    said = rotate()
    after = [stored for rows in ciphertexts().values() for _, stored in rows]
    assert len(before) == 3
    assert not [text for text in (*before, *after, key, "secret-0", "access-0") if text in said]


def test_more_rows_than_one_batch_are_all_changed(settings, monkeypatch):
    monkeypatch.setattr(lib_ciphertexts, "BATCH", 2)
    for number in range(5):
        connected_credential(number)
    add_key(settings)
    assert "profiles.Credential.client_secret: 5 re-encrypted" in rotate()


def test_an_interrupted_change_loses_nothing_and_is_finished_by_the_next(settings, monkeypatch):
    for number in range(4):
        connected_credential(number)
    new = add_key(settings)
    replace, left = stored_secrets.Column.replace_unchanged, iter(range(5))

    def until_the_machine_goes_down(*arguments):
        if next(left, None) is None:
            raise KeyboardInterrupt
        return replace(*arguments)

    monkeypatch.setattr(stored_secrets.Column, "replace_unchanged", until_the_machine_goes_down)
    with pytest.raises(KeyboardInterrupt):
        rotate()
    assert sorted(held.refresh_token for held in Credential.objects.all()) == [f"refresh-{n}" for n in range(4)]
    monkeypatch.setattr(stored_secrets.Column, "replace_unchanged", replace)
    said = rotate()
    assert "client_secret: 0 re-encrypted, 4 already" in said and "access_token: 3 re-encrypted, 1 already" in said
    settings.FIELD_ENCRYPTION_KEYS = [new]
    assert sorted(held.refresh_token for held in Credential.objects.all()) == [f"refresh-{n}" for n in range(4)]


def test_a_token_refreshed_between_reading_and_writing_is_kept(settings, monkeypatch):
    """Another process still has only the old key: what it stores is re-encrypted by a second run."""
    credential, old = connected_credential(), settings.FIELD_ENCRYPTION_KEYS
    new = add_key(settings)
    replace, refreshes = stored_secrets.Column.replace_unchanged, iter(["refreshed"])

    def after_a_refresh(column, *arguments):
        if column == TOKENS and (token := next(refreshes, None)):
            settings.FIELD_ENCRYPTION_KEYS = old
            Credential.objects.filter(pk=credential.pk).update(access_token=token)
            settings.FIELD_ENCRYPTION_KEYS = [new, *old]
        return replace(column, *arguments)

    monkeypatch.setattr(stored_secrets.Column, "replace_unchanged", after_a_refresh)
    assert "profiles.Credential.access_token: 1 re-encrypted" in rotate()
    settings.FIELD_ENCRYPTION_KEYS = [new]
    assert Credential.objects.get(pk=credential.pk).access_token == "refreshed"


def test_a_credential_deleted_meanwhile_is_no_error(settings, monkeypatch):
    credential = connected_credential()
    add_key(settings)
    replace = stored_secrets.Column.replace_unchanged

    def after_a_deletion(*arguments):
        Credential.objects.filter(pk=credential.pk).delete()
        return replace(*arguments)

    monkeypatch.setattr(stored_secrets.Column, "replace_unchanged", after_a_deletion)
    assert "client_secret: 0 re-encrypted" in rotate()


@pytest.mark.django_db(transaction=True)
def test_workers_go_on_refreshing_while_the_keys_are_changed(settings):
    """Four workers store a hundred tokens while the keys are changed over and over: no token is lost or overwritten."""
    credentials = [connected_credential(number) for number in range(4)]
    new = add_key(settings)
    done, errors = threading.Event(), []

    def refresh(pk: int) -> None:
        try:
            for count in range(25):
                Credential.objects.filter(pk=pk).update(access_token=f"token-{pk}-{count}")
                held = Credential.objects.get(pk=pk).access_token
                if held != f"token-{pk}-{count}":
                    errors.append(held)
        except Exception as error:  # noqa: BLE001 - shown by the assertion below
            errors.append(error)
        finally:
            connection.close()

    def change_keys() -> None:
        try:
            while not done.is_set():
                settings.FIELD_ENCRYPTION_KEYS.reverse()  # in place: others cannot read settings being replaced
                stored_secrets.rotate(TOKENS)
        finally:
            connection.close()

    workers = [threading.Thread(target=refresh, args=(credential.pk,)) for credential in credentials]
    changing = threading.Thread(target=change_keys)
    for thread in (*workers, changing):
        thread.start()
    for thread in workers:
        thread.join()
    done.set()
    changing.join()
    assert errors == []
    settings.FIELD_ENCRYPTION_KEYS = [new, *(key for key in settings.FIELD_ENCRYPTION_KEYS if key != new)]
    rotate()
    settings.FIELD_ENCRYPTION_KEYS = [new]
    held = {credential.pk: Credential.objects.get(pk=credential.pk).access_token for credential in credentials}
    assert held == {credential.pk: f"token-{credential.pk}-24" for credential in credentials}


def test_secrets_under_a_lost_key_are_named_and_left_alone_and_the_others_are_changed(settings):
    lost, kept = connected_credential(1), connected_credential(2)
    before = dict(TOKENS.iterate_ciphertexts())[lost.pk]
    settings.FIELD_ENCRYPTION_KEYS = [new_key()]
    Credential.objects.filter(pk=kept.pk).update(client_secret="a", access_token="b", refresh_token="c")
    add_key(settings)
    with pytest.raises(CommandError) as refused:
        rotate()
    assert f"profiles.Credential.access_token, pk {lost.pk}\n" in str(refused.value)
    assert f"pk {kept.pk}\n" not in str(refused.value) and before not in str(refused.value)
    assert dict(TOKENS.iterate_ciphertexts())[lost.pk] == before
    assert stored_secrets.inspect(TOKENS).current == 1


def test_a_long_list_of_lost_secrets_is_cut(settings):
    for number in range(8):
        connected_credential(number)
    lose_the_old_keys(settings)
    with pytest.raises(CommandError, match="and 4 more"):
        rotate()


def test_a_value_that_was_never_encrypted_counts_as_lost():
    credential = connected_credential()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE profiles_credential SET access_token = 'by hand' WHERE id = %s", [credential.pk])
    assert stored_secrets.inspect(TOKENS).lost == [credential.pk]
    with pytest.raises(CommandError, match="access_token"):
        rotate()


def test_a_worker_with_the_wrong_key_fails_its_run_and_changes_no_secret(connected, settings):
    before = ciphertexts()
    lose_the_old_keys(settings)
    assert [run.state for run in worlds.work()] == [JobRun.State.FAILED]
    assert ciphertexts() == before


def test_after_losing_the_key_the_secrets_are_forgotten_and_entered_anew(connected, settings, dropbox, integrator):
    """The steps that the doctor and the command itself tell the operator."""
    lose_the_old_keys(settings)
    with pytest.raises(CommandError, match="--forget-lost"):
        rotate()
    said = rotate("--forget-lost")
    assert "profiles.Credential.client_secret: 1 emptied" in said
    held = Credential.objects.get()
    assert (held.client_secret, held.access_token, held.refresh_token) == ("", "", "")
    assert held.state == Credential.State.NEEDS_AUTHORIZATION and "could not be decrypted" in held.state_reason
    assert IntegrationProfile.objects.get().attention == IntegrationProfile.Attention.NEEDS_AUTHORIZATION
    assert AuditEntry.objects.filter(verb="needs authorization").exists()
    page = integrator.get(f"/integration-profiles/{connected.pk}/").content.decode()
    assert "could not be decrypted and were removed" in page
    connections.save_client(connected.alias, "subscriptions", "samsaas-demo-key", "samsaas-demo-secret")
    worlds.connect(integrator, connected, dropbox)
    assert Credential.objects.get().is_connected
    assert "0 unreadable" in rotate()


def test_forgetting_spares_what_can_be_read_and_what_was_entered_meanwhile(settings):
    lost, kept = connected_credential(1), connected_credential(2)
    settings.FIELD_ENCRYPTION_KEYS = [new_key()]
    Credential.objects.filter(pk=kept.pk).update(access_token="readable")
    tally = stored_secrets.inspect(TOKENS)
    Credential.objects.filter(pk=lost.pk).update(access_token="entered meanwhile")
    stored_secrets.forget_lost(tally)
    held = {one.pk: one.access_token for one in Credential.objects.all()}
    assert tally.lost == [lost.pk] and held == {lost.pk: "entered meanwhile", kept.pk: "readable"}


@pytest.mark.parametrize("moment", ["before anything is emptied", "after the client secret", "after everything"])
def test_a_grant_that_came_meanwhile_is_neither_emptied_nor_given_up(
    moment, connected, settings, dropbox, integrator, monkeypatch
):
    """An integrator, who cannot know of the command, enters the secret and presses Get OAuth Token while it runs."""
    lose_the_old_keys(settings)
    forget, at = stored_secrets.forget_lost, {"before anything is emptied": 0, "after the client secret": 1}
    turns = []

    def connect_anew():
        connections.save_client(connected.alias, "subscriptions", "samsaas-demo-key", "samsaas-demo-secret")
        worlds.connect(integrator, connected, dropbox)

    def forget_while_somebody_connects(tally):
        if len(turns) == at.get(moment):
            connect_anew()
        turns.append(tally)
        emptied = forget(tally)
        if moment == "after everything" and len(turns) == 3:
            connect_anew()
        return emptied

    monkeypatch.setattr(stored_secrets, "forget_lost", forget_while_somebody_connects)
    said = rotate("--forget-lost")
    assert len(turns) == 3 and turns[0].column.field == "client_secret"
    held = Credential.objects.get()
    assert held.is_connected and held.access_token and held.refresh_token and held.client_secret
    assert IntegrationProfile.objects.get().attention == ""
    emptied = {"before anything is emptied": 0, "after the client secret": 1, "after everything": 3}[moment]
    assert sum(int(number) for number in re.findall(r": (\d+) emptied", said)) == emptied
    assert AuditEntry.objects.filter(verb="re-encrypted secrets", detail__forgotten=emptied).exists() == bool(emptied)
    assert not AuditEntry.objects.filter(verb="needs authorization").exists()


def test_a_secret_in_the_old_format_is_not_made_genuine_by_changing_keys(settings):
    """Somebody with an old backup and the database writes an old ciphertext into a token."""
    credential, before = connected_credential(), list(TOKENS.iterate_ciphertexts())
    write(credential, old := in_the_old_format("token of another team"))
    add_key(settings)
    for _ in range(2):
        with pytest.raises(CommandError, match="not bound to its row") as refused:
            rotate()
        assert f"profiles.Credential.access_token, pk {credential.pk}\n" in str(refused.value)
    assert dict(TOKENS.iterate_ciphertexts())[credential.pk] == old != before
    with pytest.raises(encryption.UnboundValue):
        _ = Credential.objects.get(pk=credential.pk).access_token
    assert Credential.objects.get(pk=credential.pk).client_secret == "secret-0", "the others were changed"


def test_an_operator_binds_old_secrets_on_purpose_and_that_is_recorded(settings):
    credential, lost = connected_credential(), connected_credential(1)
    write(credential, in_the_old_format("restored"))
    write(lost, "fernet:" + Fernet(Fernet.generate_key()).encrypt(b"x").decode())
    add_key(settings)
    with pytest.raises(CommandError, match=f"access_token, pk {lost.pk}") as refused:
        rotate("--bind-unbound")
    assert "not bound" not in str(refused.value)
    assert Credential.objects.get(pk=credential.pk).access_token == "restored"
    entry = AuditEntry.objects.get(verb="re-encrypted secrets")
    assert entry.detail["bound"] == 1 and entry.detail["re_encrypted"] == 4 and " at " in entry.detail["run_by"]


def test_a_token_stored_while_old_ones_are_bound_is_kept(monkeypatch):
    credential = connected_credential()
    write(credential, in_the_old_format("old"))
    replace = stored_secrets.Column.replace_unchanged

    def after_a_refresh(*arguments):
        Credential.objects.filter(pk=credential.pk).update(access_token="refreshed")
        return replace(*arguments)

    monkeypatch.setattr(stored_secrets.Column, "replace_unchanged", after_a_refresh)
    assert stored_secrets.bind(TOKENS) == 0
    assert Credential.objects.get().access_token == "refreshed"


def test_a_moved_ciphertext_counts_as_lost_and_is_never_carried_to_a_new_key(settings):
    thief, victim = connected_credential(1), connected_credential(2)
    moved = dict(TOKENS.iterate_ciphertexts())[victim.pk]
    write(thief, moved)
    add_key(settings)
    with pytest.raises(CommandError, match=f"access_token, pk {thief.pk}"):
        rotate()
    assert dict(TOKENS.iterate_ciphertexts())[thief.pk] == moved
    assert Credential.objects.get(pk=victim.pk).access_token == "access-2"


def test_an_open_consent_whose_verifier_is_lost_is_forgotten_too(draft, integrator, settings):
    worlds.press(integrator, draft)
    lose_the_old_keys(settings)
    assert "profiles.OAuthState.verifier: 1 emptied" in rotate("--forget-lost")
    assert OAuthState.objects.get().verifier == ""


@pytest.mark.parametrize("keys", [[], ["secret-but-no-key"]])
def test_system_check_refuses_an_installation_without_usable_keys(settings, keys):
    assert "samsaas.E001" not in {problem.id for problem in run_checks()}
    settings.FIELD_ENCRYPTION_KEYS = keys
    problem = next(problem for problem in run_checks() if problem.id == "samsaas.E001")
    assert problem.is_serious() and "new_field_key" in problem.hint and "secret-but-no-key" not in problem.msg


def test_any_of_several_keys_reads_and_the_first_writes(settings):
    old, place = django_settings.FIELD_ENCRYPTION_KEYS, encryption.Place("table", "column", 1)
    held = encryption.encrypt("secret", place)
    new = add_key(settings)
    assert encryption.decrypt(held, place) == "secret"
    newer = encryption.encrypt("secret", place)
    settings.FIELD_ENCRYPTION_KEYS = old
    with pytest.raises(encryption.UndecryptableValue):
        encryption.decrypt(newer, place)
    settings.FIELD_ENCRYPTION_KEYS = [new]
    assert encryption.decrypt(newer, place) == "secret"
