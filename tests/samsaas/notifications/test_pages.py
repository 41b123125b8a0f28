"""The pages of notifications and webhooks, as a reader and as an administrator use them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from samsaas.models import AuditEntry, NotificationChoices, Webhook, WebhookCall
from tests import worlds
from tests.samsaas.events.events_world import HOST, Receiver, event, hook, receiver

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
LIST, SETTINGS, HOOKS = "/notifications/", "/notifications/settings/", "/webhooks/"


@pytest.fixture
def inside(settings: Any) -> Iterator[Receiver]:
    settings.WEBHOOK_HOSTS_INSIDE = {HOST}
    with receiver() as made:
        yield made


def form(url: str, **changes: Any) -> dict[str, Any]:
    return {"name": "Chat", "style": "signed", "url": url, "kinds": ["run.failed"], "active": "on", **changes}


def test_a_reader_sees_what_is_unread_and_marks_it_as_read(signed_in: Any) -> None:
    reader = signed_in("sam_user")
    event(title="Download failed <b>")
    page = reader.get(LIST).content.decode()
    assert (
        "1 unread" in page and "(unread)" in page and "Download failed &lt;b&gt;" in page and 'href="/runs/1/"' in page
    )
    reader.post("/notifications/read/")
    event(key="2", title="Another one")
    page = reader.get(LIST).content.decode()
    assert "1 unread" in page and page.count("(unread)") == 1


def test_what_an_account_may_not_open_is_not_listed(signed_in: Any) -> None:
    event("webhook.stopped", title="Webhook Chat was switched off")
    assert "Webhook Chat" not in signed_in("sam_admin").get(LIST).content.decode()
    assert "Webhook Chat" in signed_in("admin").get(LIST).content.decode()


def test_an_empty_list_says_what_will_be_there(signed_in: Any) -> None:
    assert "Nothing has happened yet" in signed_in("sam_user").get(LIST).content.decode()


def test_one_event_and_thirty_cost_the_same(
    signed_in: Any, django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    reader = signed_in("sam_user")
    event()
    reader.get(LIST)
    with django_assert_max_num_queries(20) as few:
        reader.get(LIST)
    for number in range(30):
        event(key=f"more {number}")
    with django_assert_num_queries(len(few)):
        reader.get(LIST)


def test_nonsense_in_the_address_is_ignored(signed_in: Any) -> None:
    reader, admin = signed_in("sam_user"), signed_in("admin")
    for query in worlds.nonsense(("q", "kind", "page", "sort", "per_page")):
        assert reader.get(f"{LIST}?{query}").status_code == 200, query
        assert admin.get(f"{HOOKS}?{query}").status_code == 200, query


def test_a_person_chooses_and_finds_the_choice_again(signed_in: Any) -> None:
    reader = signed_in("sam_user")
    page = reader.get(SETTINGS).content.decode()
    assert "no e-mail address" in page and "A webhook was switched off" not in page
    kinds = re.findall(r'<select name="([\w.]+)"', page)
    sent = dict.fromkeys(kinds, "off") | {"run.failed": "daily", "any_hour": "on"}
    assert reader.post(SETTINGS, sent).status_code == 302
    kept = NotificationChoices.objects.get(user=reader.user)
    assert kept.by_kind["run.failed"] == "daily" and kept.any_hour
    assert reader.post(SETTINGS, sent | {"run.failed": "never"}).status_code == 200
    kept.refresh_from_db()
    assert kept.by_kind["run.failed"] == "daily"


def test_a_webhook_is_made_tested_changed_and_deleted_and_all_of_it_is_on_record(
    signed_in: Any, inside: Receiver
) -> None:
    admin = signed_in("admin")
    page = admin.post(f"{HOOKS}new/", form(inside.url), follow=True).content.decode()
    one = Webhook.objects.get()
    assert "whsec_" in page and one.host == HOST and inside.url not in page
    assert "whsec_" not in admin.get(one.get_absolute_url()).content.decode(), "it is shown once"
    page = admin.post(f"{HOOKS}{one.pk}/test/", follow=True).content.decode()
    assert "It arrived: 200 thank you &lt;b&gt;" in page and len(inside.got) == 1
    inside.status = 500
    assert "It failed: 500" in admin.post(f"{HOOKS}{one.pk}/test/", follow=True).content.decode()
    assert WebhookCall.objects.filter(state="failed").count() == 1 and Webhook.objects.get().active
    admin.post(f"{HOOKS}{one.pk}/edit/", form("", name="Team chat", active=""))
    one.refresh_from_db()
    assert (one.name, one.active, one.url) == ("Team chat", False, inside.url)
    old = one.secret
    assert "whsec_" in admin.post(f"{HOOKS}{one.pk}/secret/", follow=True).content.decode()
    one.refresh_from_db()
    assert one.secret != old
    admin.post(f"{HOOKS}{one.pk}/delete/")
    assert not Webhook.objects.exists()
    verbs = AuditEntry.objects.filter(object_type="Webhook").order_by("pk").values_list("verb", flat=True)
    assert list(verbs) == [
        *("created webhook", "tested webhook", "tested webhook"),
        *("changed webhook", "renewed secret of webhook", "deleted webhook"),
    ]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"url": ""}, "Enter the address."),
        ({"url": "http://hooks.example.com/"}, "https://"),
        ({"url": "https://10.0.0.1/"}, "everybody can reach"),
        ({"kinds": []}, "This field is required."),
        ({"name": "a\x85b"}, "cannot be shown"),
        ({"style": "fax"}, "Select a valid choice"),
    ],
)
def test_a_wrong_field_is_explained_and_nothing_is_stored(signed_in: Any, changes: dict[str, Any], words: str) -> None:
    page = signed_in("admin").post(f"{HOOKS}new/", form("https://hooks.example.com/x") | changes)
    assert page.status_code == 200 and words in page.content.decode()
    assert not Webhook.objects.exists()


def test_a_name_that_is_taken_is_said(signed_in: Any, inside: Receiver) -> None:
    admin = signed_in("admin")
    one, _ = hook(admin.user, inside.url)
    page = admin.post(f"{HOOKS}new/", form(inside.url, name=one.name)).content.decode()
    assert "already exists" in page and Webhook.objects.count() == 1


def test_a_stolen_session_makes_no_webhook(signed_in: Any, inside: Receiver, settings: Any) -> None:
    admin = signed_in("admin")
    settings.REAUTHENTICATE_WITHIN = timedelta(0)
    page = admin.post(f"{HOOKS}new/", form(inside.url)).content.decode()
    assert "Your password" in page and not Webhook.objects.exists()
