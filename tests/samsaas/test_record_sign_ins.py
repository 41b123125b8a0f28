"""The audit trail knows who came and went, who tried to, and who took which data along."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from samsaas import record_sign_ins
from samsaas.models import AuditEntry, FailedSignIns
from subscriptions.models import PersonImport, PersonImportRow
from tests import factories, test_permissions

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
PASSWORD = "a long password"


def verbs() -> list[str]:
    return list(AuditEntry.objects.order_by("pk").values_list("verb", flat=True))


def try_door(name: str, password: str = PASSWORD, address: str = "203.0.113.9") -> Client:
    client = Client(REMOTE_ADDR=address)
    client.post("/accounts/login/", {"username": name, "password": password})
    return client


def test_a_sign_in_is_recorded_with_its_address(account: Any) -> None:
    ann = account("admin", username="ann")
    try_door("ann")
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.actor_id, entry.actor_name) == ("signed in", ann.pk, "ann")
    assert entry.detail == {"address": "203.0.113.9"}


def test_signing_out_is_recorded_and_nothing_where_nobody_was_signed_in(account: Any) -> None:
    account("sam_user", username="ann")
    client = try_door("ann")
    client.post("/accounts/logout/")
    client.post("/accounts/logout/")
    assert verbs() == ["signed in", "signed out"]
    assert AuditEntry.objects.get(verb="signed out").actor_name == "ann"


def test_a_session_that_reaches_its_limit_is_recorded_as_its_end(account: Any) -> None:
    account("sam_user", username="ann")
    client = try_door("ann")
    client.get("/")
    session = client.session
    session["samsaas_seen"] = session["samsaas_started"] = 0.0
    session.save()
    client.get("/")
    assert verbs() == ["signed in", "signed out"]


def test_the_first_failure_of_an_account_is_recorded_without_the_password(account: Any) -> None:
    ann = account("sam_user", username="ann")
    try_door("ann", "a wrong password")
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.actor_id, entry.object_id) == ("failed sign-in", None, str(ann.pk))
    assert entry.detail == {"address": "203.0.113.9", "failures": 1}


def test_a_thousand_failures_leave_a_handful_of_entries_with_their_count(account: Any) -> None:
    ann = account("sam_user", username="ann")
    for number in range(1000):
        record_sign_ins.count_failure(ann, address=f"2001:db8::{number:x}", now=timezone.now())
    assert [entry.detail["failures"] for entry in AuditEntry.objects.order_by("pk")] == [1, 5, 25, 125, 625]


def test_names_that_nobody_has_are_counted_together_and_never_stored(account: Any) -> None:
    account("sam_user", username="ann")
    for name in ("correct horse battery staple", "bob", "eve", "x", "y"):
        try_door(name, "whatever it is", address="198.51.100.7")
    assert [entry.detail["failures"] for entry in AuditEntry.objects.order_by("pk")] == [1, 5]
    assert "horse" not in str(list(AuditEntry.objects.values())) and FailedSignIns.objects.count() == 1


def test_an_hour_later_the_count_begins_again(account: Any) -> None:
    ann, now = account("sam_user", username="ann"), timezone.now()
    for minutes in (0, 59, 61, 62):
        record_sign_ins.count_failure(ann, address="", now=now + timedelta(minutes=minutes))
    assert [entry.detail["failures"] for entry in AuditEntry.objects.order_by("pk")] == [1, 1]


def test_changing_the_own_password_is_recorded_without_it(signed_in: Any) -> None:
    client = signed_in("sam_user")
    wrong = {"old_password": "no", "new_password1": "quite another one", "new_password2": "quite another one"}
    client.post("/accounts/password/", wrong)
    assert "changed own password" not in verbs()
    assert client.post("/accounts/password/", {**wrong, "old_password": PASSWORD}).status_code == 302
    entry = AuditEntry.objects.get(verb="changed own password")
    assert entry.actor_id == client.user.pk and "another" not in str(entry.detail)


def test_core_ui_has_no_page_of_its_own_to_change_the_password(signed_in: Any) -> None:
    client = signed_in("admin")
    sent = {"old_password": PASSWORD, "new_password1": "quite another one", "new_password2": "quite another one"}
    assert client.post("/core/password_change/", sent)["Location"] == "/accounts/password/"
    client.user.refresh_from_db()
    assert client.user.check_password(PASSWORD)


@pytest.fixture
def refused_people(account: Any) -> PersonImport:
    upload = PersonImport.objects.create(file_name="people.csv", state="preview", uploaded_at=timezone.now())
    for line in (2, 3):
        PersonImportRow.objects.create(upload=upload, line=line, effect="refused", values={}, problem="no name")
    return upload


EXPORTS = {
    "subscription_export": ("software subscriptions", 2),
    "candidate_export": ("removal candidates", 2),
    "person_import_errors": ("refused people", 2),
}


@pytest.mark.parametrize("name", EXPORTS)
def test_every_export_is_recorded_with_its_list_and_its_number_of_rows(
    signed_in: Any, refused_people: PersonImport, name: str
) -> None:
    client = signed_in("sam_admin")
    for _ in range(2):
        factories.candidate()
    address = reverse(name, args=[refused_people.pk] if name == "person_import_errors" else [])
    assert len(client.get(address).getvalue().splitlines()) == 3
    entry = AuditEntry.objects.get(verb="exported")
    assert (entry.detail["list"], entry.detail["rows"]) == EXPORTS[name]
    assert entry.actor_name == client.user.username


def test_no_page_sends_a_file_of_data_without_an_entry(signed_in: Any, refused_people: PersonImport) -> None:
    client, silent = signed_in("admin"), {"person_import_example", "allocation_example"}
    addresses = test_permissions.addresses()
    addresses["person_import_errors"] = reverse("person_import_errors", args=[refused_people.pk])
    for name in addresses.keys() - silent:
        before = AuditEntry.objects.filter(verb="exported").count()
        answer = client.get(addresses[name])
        if answer.get("Content-Type", "").startswith("text/csv"):
            assert AuditEntry.objects.filter(verb="exported").count() == before + 1, name


def test_the_filters_of_an_export_are_recorded_as_far_as_they_fit(signed_in: Any) -> None:
    client = signed_in("sam_user")
    factories.subscription(display_name="Ann")
    client.get("/subscriptions/export/", {"q": "ann", "status": "active", "profile": ""}).getvalue()
    assert AuditEntry.objects.get(verb="exported").detail["filters"] == {"q": "ann", "status": "active"}


def test_a_download_that_is_broken_off_is_recorded_all_the_same(signed_in: Any) -> None:
    factories.subscription()
    answer = signed_in("sam_user").get("/subscriptions/export/")
    next(iter(answer.streaming_content))
    assert AuditEntry.objects.get(verb="exported").detail["rows"] == 1


def test_an_export_refused_for_its_filter_is_none(signed_in: Any) -> None:
    assert signed_in("sam_user").get("/subscriptions/export/?status=nonsense").status_code == 302
    assert "exported" not in verbs()
