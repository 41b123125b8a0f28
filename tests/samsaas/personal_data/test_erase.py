"""A person who asks to be forgotten is: what named them is gone, what must stay is named with the reason."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import CharField, JSONField, TextField
from django.utils import timezone

from reclamation.models import Approval, CandidateNote, Exemption, KeepAnswer, Notice, RemovalAttempt, RemovalCandidate
from reclamation.states import State
from samsaas.lib.fields import EncryptedTextField
from samsaas.models import AuditEntry, Mail
from samsaas.personal_data import erase, export, places, traces
from subscriptions.models import (
    ActivityDay,
    Allocation,
    Person,
    PersonImport,
    PersonImportRow,
    SeatResult,
    Subscription,
)
from tests import factories
from tests.subscriptions.entitlements import owned_world

pytestmark = pytest.mark.django_db

NAME, ADDRESS, KEY = "Eve Marlow", "eve.marlow@example.com", "E4711"


def eve(**fields: Any) -> Person:
    return factories.person(ADDRESS, key=KEY, name=NAME, department="Sales", **fields)


def seat_of(person: Person, **fields: Any) -> Subscription:
    seat = factories.subscription(display_name=NAME, email=ADDRESS, employee_id=KEY, **fields)
    factories.match(seat, person)
    return seat


def mail_about(candidate: RemovalCandidate, to: str = ADDRESS) -> Mail:
    now = timezone.now()
    mail = Mail.objects.create(
        to=to, subject=NAME, body=NAME, state="sent", queued_at=now, not_before=now, give_up_at=now
    )
    Notice.objects.create(candidate=candidate, kind="ask", mail=mail)
    return mail


def attempt(candidate: RemovalCandidate, **fields: Any) -> RemovalAttempt:
    defaults = {"vendor": "dropbox", "team_id": "t", "external_id": candidate.external_id, "opened_at": timezone.now()}
    return RemovalAttempt.objects.create(candidate=candidate, email=ADDRESS, **{**defaults, **fields})


def traced_world(admin: User) -> tuple[Person, Subscription]:
    """Somebody with an ended subscription, a skipped candidate, a mail, an answer, and a line of a file."""
    person, now = eve(), timezone.now()
    seat = seat_of(person, ended_at=now)
    factories.activity(seat, now)
    ActivityDay.objects.create(subscription=seat, day=timezone.localdate(), events=1, pull=1)
    one = factories.candidate(seat, state=State.CLOSED_SKIPPED, person_name=NAME, person_key=KEY, note=NAME)
    mail_about(one)
    mail_about(one, to="manager@example.com")
    KeepAnswer.objects.create(candidate=one, channel="link", reason=NAME, at=now)
    CandidateNote.objects.create(candidate=one, at=now, text=NAME)
    Approval.objects.create(candidate=one, question="removal", asked_at=now, due_at=now, at=now, note=NAME)
    attempt(one, dry_run=True, state="closed", closed_at=now)
    Exemption.objects.create(person=person, reason=NAME, until=timezone.localdate(), at=now, by=admin)
    upload = PersonImport.objects.create(file_name="hr.csv", state="applied", uploaded_at=now)
    PersonImportRow.objects.create(upload=upload, line=2, effect="refused", key=KEY, values={"cells": {"name": NAME}})
    factories.person(manager=KEY)
    return person, seat


def texts_of_the_database() -> dict[str, str]:
    """Every text that is stored anywhere but in the audit trail, by table."""
    from django.apps import apps  # noqa: PLC0415

    found = {}
    for model in apps.get_models():
        fields = [
            field.name
            for field in model._meta.concrete_fields
            if isinstance(field, CharField | TextField | JSONField) and not isinstance(field, EncryptedTextField)
        ]
        if fields and model is not AuditEntry:
            found[model._meta.label] = json.dumps(list(model._base_manager.values_list(*fields)), default=str)
    return found


def test_nothing_in_any_table_names_the_person_afterwards(account: Any) -> None:
    admin = account("admin")
    person, seat = traced_world(admin)
    erase.run(person.pk, by=admin, now=timezone.now())
    naming = {
        table: text for table, text in texts_of_the_database().items() if NAME in text or ADDRESS in text or KEY in text
    }
    assert naming == {}
    seat.refresh_from_db()
    assert seat.display_name == f"Erased person {person.pk}" and seat.external_id
    assert not Person.objects.filter(pk=person.pk).exists() and not Mail.objects.exists()
    entry = AuditEntry.objects.get(verb="erased person")
    assert entry.detail["record"] == person.pk and entry.detail["rows"]["Mails"] == 2
    assert NAME not in str(entry.detail) + entry.object_name and KEY not in str(entry.detail)


def test_what_proves_a_removal_stays_with_its_mails(account: Any) -> None:
    person = eve()
    one = factories.candidate(seat_of(person, ended_at=timezone.now()), state=State.CLOSED_COMPLETE, person_key=KEY)
    proving = mail_about(one)
    done = {"state": "closed", "closed_at": timezone.now(), "intent_at": timezone.now()}
    attempt(one, **done)
    erase.run(person.pk, by=account("admin"), now=timezone.now())
    one.refresh_from_db()
    assert one.display_name == NAME and one.attempts.get().email == ADDRESS
    assert list(Mail.objects.all()) == [proving]


def test_whoever_had_rights_stays_as_a_number(account: Any) -> None:
    admin, person, day = account("admin"), eve(), timezone.localdate()
    right = owned_world.published(admin)
    Allocation.objects.create(entitlement=right, person=person, quantity=1, assigned_on=day, released_on=day)
    erase.run(person.pk, by=admin, now=timezone.now())
    person.refresh_from_db()
    assert (person.name, person.key) == (f"Erased person {person.pk}", f"erased-{person.pk}")
    assert person.left_on and not person.addresses.exists() and person.allocations.count() == 1


def test_an_account_that_the_vendor_lists_stays_and_the_preview_says_why(account: Any, client: Any) -> None:
    admin, person = account("admin"), eve()
    seat = seat_of(person)
    client.force_login(admin)
    page = client.get(f"/people/{person.pk}/erase/").content.decode()
    assert "Listed subscriptions" in page and "Remove it at the vendor first" in page
    erase.run(person.pk, by=admin, now=timezone.now())
    seat.refresh_from_db()
    assert seat.display_name == NAME and not Subscription.objects.filter(pk=seat.pk, match__isnull=False).exists()


@pytest.mark.parametrize("under_way", ["candidate", "attempt", "right", "file"])
def test_what_is_not_over_stands_against_it_and_nothing_is_written(account: Any, client: Any, under_way: str) -> None:
    admin, person, now = account("admin"), eve(), timezone.now()
    seat = seat_of(person)
    if under_way == "candidate":
        factories.candidate(seat)
    elif under_way == "attempt":
        closed = factories.candidate(seat, state=State.CLOSED_COMPLETE)
        attempt(closed, state="removed", intent_at=now, restorable_until=now + timedelta(days=7))
    elif under_way == "right":
        Allocation.objects.create(
            entitlement=owned_world.published(admin), person=person, quantity=1, assigned_on=timezone.localdate()
        )
    else:
        upload = PersonImport.objects.create(file_name="hr.csv", state="preview", uploaded_at=now)
        PersonImportRow.objects.create(upload=upload, line=2, effect="changed", key=KEY)
    client.force_login(admin)
    page = client.get(f"/people/{person.pk}/erase/").content.decode()
    assert "not over yet" in page and "Erase the person" not in page
    client.post(f"/people/{person.pk}/erase/", {"typed": KEY})
    person.refresh_from_db()
    assert person.name == NAME and person.addresses.exists()
    assert not AuditEntry.objects.filter(verb="erased person").exists()


def test_it_takes_the_typed_number(account: Any, client: Any) -> None:
    client.force_login(account("admin"))
    person = eve()
    wrong = client.post(f"/people/{person.pk}/erase/", {"typed": NAME})
    assert "not the person’s employee number" in wrong.content.decode()
    answer = client.post(f"/people/{person.pk}/erase/", {"typed": KEY}, follow=True)
    assert "The person was erased" in answer.content.decode() and not Person.objects.filter(pk=person.pk).exists()


def test_past_positions_keep_their_count_without_the_name(account: Any) -> None:
    person = eve()
    seat = seat_of(person, ended_at=timezone.now())
    SeatResult.objects.create(
        metric_result_id=1, subscription=seat, seat_name=NAME, profile_name="P", person=person, person_name=NAME, rank=1
    )
    erase.run(person.pk, by=account("admin"), now=timezone.now())
    one = SeatResult.objects.get()
    assert one.person_name == one.seat_name == f"Erased person {person.pk}"


def test_the_file_has_every_table_with_something_about_the_person_and_no_secret(account: Any, client: Any) -> None:
    admin = account("admin")
    person, _ = traced_world(admin)
    person.account = account("sam_user", username="eve")
    person.save()
    client.force_login(admin)
    answer = client.get(f"/people/{person.pk}/data/")
    assert answer["Content-Disposition"] == f'attachment; filename="person-{KEY}.json"'
    text = b"".join(answer.streaming_content).decode()
    tables = {one["table"]: one["rows"] for one in json.loads(text)["tables"]}
    expected = {one.name for one in places.find(traces.find(person)) if one.rows.exists()}
    assert expected <= tables.keys() and "Account" in tables
    assert tables["E-mail addresses"][0]["address"] == ADDRESS and tables["Account"][0]["username"] == "eve"
    assert person.account.password not in text and "token_hash" not in text and '"secret"' not in text
    entry = AuditEntry.objects.filter(verb="exported").latest("pk")
    assert entry.detail["rows"] == export.count(person) - 1 and entry.object_id == str(person.pk)


def test_no_table_that_leads_to_a_person_a_subscription_or_a_candidate_was_forgotten() -> None:
    """A new table has to be named among the places, with what becomes of it."""
    known = {place.rows.model for place in places.find(traces.find(eve()))}
    leading = {
        relation.related_model
        for model in (Person, Subscription, RemovalCandidate)
        for relation in model._meta.get_fields(include_hidden=True)
        if relation.auto_created and not relation.concrete
    }
    assert leading - known == set()


def test_only_an_administrator_sees_the_buttons(account: Any, client: Any) -> None:
    person = eve()
    for role, sees in (("admin", True), ("sam_admin", False)):
        client.force_login(account(role))
        assert (f"/people/{person.pk}/erase/" in client.get(f"/people/{person.pk}/").content.decode()) is sees
