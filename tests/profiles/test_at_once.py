"""Several people send the same form at once: one of them has it, and the others read why, on the form they sent."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client
from django.utils import timezone

from profiles.models import ConnectionAlias, IntegrationProfile
from samsaas import admin
from samsaas.lib import edits
from subscriptions.matching.forms import RuleForm
from subscriptions.models import Person, ResolutionRule, SoftwareModel
from tests import pages
from tests.profiles.test_lost_updates import opened

AT_ONCE = 8
NEW_PROFILE = {
    "display_name": "Europe",
    "client_id": "key",
    "client_secret": "secret",
    "pull_activity": "on",
    "analyze_activity_from": "",
}
PERSON = {"key": "1001", "name": "Ann", "addresses": "ann@example.com"}
RULE = {"name": "By mail", "source": "email", "lookup": "address", "transform": "none", "active": "on"}
MODEL = {"publisher": "Acme", "product": "Mail", "edition": ""}
GOOD = "correct horse battery staple"
ACCOUNT = {"username": "eve", "usable_password": "true", "password1": GOOD, "password2": GOOD}


def parent() -> ConnectionAlias:
    found: ConnectionAlias = ConnectionAlias.objects.filter(parent=None).get()
    return found


def new_profile(client: Client) -> tuple[str, dict[str, Any]]:
    moment = timezone.localtime().strftime("%Y-%m-%dT%H:%M")
    return "/integration-profiles/new/dropbox/", NEW_PROFILE | {"analyze_activity_from": moment}


def new_profile_with_named_alias(client: Client) -> tuple[str, dict[str, Any]]:
    address, form = new_profile(client)
    return address, form | {"alias": "new", "child_name": "europe"}


def new_alias(client: Client) -> tuple[str, dict[str, Any]]:
    return f"/aliases/{parent().pk}/children/new/", {"name": "europe"}


def new_person(client: Client) -> tuple[str, dict[str, Any]]:
    return "/people/new/", PERSON


def new_rule(client: Client) -> tuple[str, dict[str, Any]]:
    return "/user-resolution-rules/new/", RULE


def new_account(client: Client) -> tuple[str, dict[str, Any]]:
    return "/core/auth/user/add/", ACCOUNT


# What is sent, what there is one of afterwards, and what the others read.
KINDS: dict[str, tuple[Callable[[Client], tuple[str, dict[str, Any]]], Any, str]] = {
    "profile": (new_profile, lambda: IntegrationProfile.objects.filter(display_name="Europe"), "has this display name"),
    "alias of a new profile": (
        new_profile_with_named_alias,
        lambda: ConnectionAlias.objects.filter(name="europe"),
        "Another",
    ),
    "alias": (new_alias, lambda: ConnectionAlias.objects.filter(name="europe"), "Another alias has this name"),
    "person": (new_person, lambda: Person.objects.filter(key="1001"), "already exists"),
    "resolution rule": (new_rule, lambda: ResolutionRule.objects.filter(name="By mail"), "Another rule has this name"),
    "account": (new_account, lambda: User.objects.filter(username="eve"), "already exists"),
}


def administrator(account: Any, number: int = 0) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(account("admin", username=f"root{number}"))
    return client


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", KINDS)
def test_eight_at_once_make_one(kind: str, account: Any) -> None:
    make, made, explained = KINDS[kind]
    clients = [administrator(account, number) for number in range(AT_ONCE)]
    address, form = make(clients[0])
    start, answers = threading.Barrier(AT_ONCE), []

    def send(client: Client) -> None:
        try:
            start.wait()
            answers.append(client.post(address, form))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert sorted(answer.status_code for answer in answers) == [200] * (AT_ONCE - 1) + [302]
    assert made().count() == 1
    for answer in answers:
        if answer.status_code == 200:
            assert explained in pages.text_of(answer.content.decode())


@pytest.mark.django_db
def test_a_rule_named_alike_between_two_checks_of_the_form_is_explained_in_the_same_words(
    account: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ResolutionRule.objects.create(name=RULE["name"], source="email", lookup="address")
    monkeypatch.setattr(RuleForm, "clean_name", lambda self: self.cleaned_data["name"])
    answer = administrator(account).post("/user-resolution-rules/new/", RULE)
    assert "Another rule has this name" in pages.text_of(answer.content.decode())


@pytest.fixture
def rival(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], None]:
    """`rival(act)`: somebody else acts between the check of a form and its saving."""

    def install(act: Callable[[], Any]) -> None:
        acts = [act]
        save_or_explain, save_model = edits.save_or_explain, admin.AccountAdmin.save_model

        def late(form: Any, save: Callable[[], Any]) -> Any:
            if acts:
                assert acts.pop()().status_code == 302
            return save_or_explain(form, save)

        def late_in_core_ui(self: Any, request: Any, obj: Any, form: Any, change: bool) -> None:
            if acts:
                assert acts.pop()().status_code == 302
            save_model(self, request, obj, form, change)

        monkeypatch.setattr(edits, "save_or_explain", late)
        monkeypatch.setattr(admin.AccountAdmin, "save_model", late_in_core_ui)

    return install


@pytest.mark.django_db
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "account"])
def test_whoever_comes_a_moment_later_reads_why(kind: str, account: Any, rival: Any) -> None:
    make, made, explained = KINDS[kind]
    first, second = administrator(account, 1), administrator(account, 2)
    address, form = make(second)
    rival(lambda: first.post(address, form))
    answer = second.post(address, form)
    assert answer.status_code == 200 and explained in pages.text_of(answer.content.decode())
    assert made().count() == 1


@pytest.mark.django_db
def test_a_rename_to_a_name_that_is_taken_at_this_moment_is_explained_too(account: Any, rival: Any) -> None:
    first, second = administrator(account, 1), administrator(account, 2)
    rows = {
        "/aliases/{}/edit/": [parent().children.create(name=name, vendor="dropbox") for name in ("a", "b")],
        "/people/{}/edit/": [Person.objects.create(key=key, name=key) for key in ("1", "2")],
        "/user-resolution-rules/{}/": [ResolutionRule.objects.create(name=name) for name in ("x", "y")],
        "/software-models/{}/edit/": [SoftwareModel.objects.create(publisher="P", product=name) for name in ("x", "y")],
    }
    renamed = {"aliases": {"name": "same"}, "people": {"key": "9"}, "user-resolution-rules": {"name": "same"}}
    renamed["software-models"] = {"product": "same"}
    for pattern, (one, other) in rows.items():
        change = renamed[pattern.split("/")[1]]
        mine, theirs = pattern.format(one.pk), pattern.format(other.pk)
        held = {path: opened(second, path) | change for path in (mine, theirs)}
        for form in held.values():
            form.pop("profiles", None)
        rival(lambda path=theirs, form=held[theirs]: first.post(path, form))
        answer = second.post(mine, held[mine])
        page = pages.text_of(answer.content.decode())
        assert answer.status_code == 200
        assert "Another" in page or "exists already" in page or "already exists" in page, (
            mine,
            answer.context["form"].errors,
        )


@pytest.mark.django_db
def test_a_free_name_that_we_chose_and_somebody_took_is_chosen_again(account: Any, rival: Any) -> None:
    """The profile's alias is named after it; that name is nobody's mistake."""
    first, second = administrator(account, 1), administrator(account, 2)
    first.post(*new_profile(first))
    address, form = new_profile(second)
    form["display_name"] = "Asia"
    name = f"{parent().name}_Asia"
    rival(lambda: first.post(f"/aliases/{parent().pk}/children/new/", {"name": name}))
    assert second.post(address, form).status_code == 302
    assert IntegrationProfile.objects.get(display_name="Asia").alias.name == f"{name}_2"
