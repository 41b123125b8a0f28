"""Acts that a stolen session must not be enough for ask for the password again, and nothing that was typed is lost."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from profiles.models import ConnectionAlias, IntegrationProfile
from tests import pages
from tests.profiles.test_lost_updates import opened
from tests.profiles.test_profile_pages import NEW, filled
from tests.samsaas.sign_in_world import is_signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
PASSWORD, SECRET = "a long password", "brand-new-secret-77"
ASKED = "Enter your password again"


def later(minutes: float = 16) -> Any:
    return time_machine.travel(timezone.now() + timedelta(minutes=minutes), tick=True)


def is_asked(answer: Any) -> bool:
    return answer.status_code == 200 and ASKED in answer.content.decode()


def give(client: Client, asked: Any, password: str = PASSWORD, **more: Any) -> Any:
    """Fill in the page that asks."""
    page = asked.content.decode()
    held = re.search(r'name="held_form" value="([^"]+)"', page)
    action = re.search(r'<form class="card" method="post" action="([^"]+)"', page)
    assert held and action
    fields = {"held_form": more.get("held", held[1]), "password_again": password}
    return client.post(more.get("to") or html.unescape(action[1]), fields)


def account_form(user: User, **changes: Any) -> dict[str, Any]:
    return {"username": user.username, "is_active": "on", "email": "", "first_name": "", "last_name": "", **changes}


@pytest.fixture
def administrator(signed_in: Any) -> Client:
    client: Client = signed_in("admin")
    return client


def acts(client: Client, profile: IntegrationProfile, child: ConnectionAlias, user: User) -> dict[str, Any]:
    """Every act that asks: its address, and what is posted."""
    path, alias = f"/integration-profiles/{profile.pk}", f"/aliases/{profile.alias_id}"
    group = Group.objects.get(name="sam_integrator")
    return {
        "replace team": (f"{path}/authorize/", {"replace_team": "1"}),
        "disconnect": (f"{path}/disconnect/", {}),
        "delete profile": (f"{path}/delete/", {"display_name": profile.display_name}),
        "change secret on the profile": (f"{path}/edit/", opened(client, f"{path}/edit/") | {"client_secret": SECRET}),
        "change secret on the alias": (f"{alias}/edit/", opened(client, f"{alias}/edit/") | {"client_secret": SECRET}),
        "use another alias": (f"{path}/edit/", opened(client, f"{path}/edit/") | {"alias": str(child.pk)}),
        "another client id": (f"{path}/edit/", opened(client, f"{path}/edit/") | {"client_id": "another"}),
        "delete alias": (f"/aliases/{child.pk}/delete/", {}),
        "grant role": (f"/core/auth/user/{user.pk}/change/", account_form(user, groups=[group.pk])),
        "set password": (f"/core/auth/user/{user.pk}/password/", {"password1": "x", "password2": "x"}),
        "create account": ("/core/auth/user/add/", {"username": "eve", "password1": "x", "password2": "x"}),
    }


@pytest.fixture
def world(administrator: Any, connected: IntegrationProfile, account: Any) -> dict[str, Any]:
    child = ConnectionAlias.objects.create(name="child", vendor="dropbox", parent=ConnectionAlias.objects.first())
    return acts(administrator, connected, child, account("sam_user", username="bob"))


def test_each_of_them_asks_after_a_quarter_of_an_hour_and_does_nothing_before(
    administrator: Client, world: dict[str, Any], connected: IntegrationProfile
) -> None:
    def state() -> list[Any]:
        rows = [*IntegrationProfile.objects.values(), *ConnectionAlias.objects.values(), *User.objects.values()]
        connected.alias.refresh_from_db()
        return [
            *rows,
            *connected.alias.credentials.values("client_id", "client_secret", "state"),
            Group.objects.count(),
        ]

    with later(16):
        administrator.get("/")
        before = state()
        for act, (address, posted) in world.items():
            assert is_asked(administrator.post(address, posted)), act
        assert state()[:-1] == before[:-1]


def test_within_a_quarter_of_an_hour_nobody_is_asked(
    administrator: Client, world: dict[str, Any], settings: Any
) -> None:
    with later(14):
        administrator.get("/")
        for act, (address, posted) in reversed(world.items()):
            assert not is_asked(administrator.post(address, posted)), act


def test_opening_a_page_and_a_change_that_touches_no_credential_ask_nobody(
    administrator: Client, connected: IntegrationProfile
) -> None:
    path = f"/integration-profiles/{connected.pk}"
    with later(20):
        for page in (f"{path}/edit/", f"{path}/delete/", f"{path}/disconnect/", "/core/auth/user/add/"):
            assert not is_asked(administrator.get(page))
        form = opened(administrator, f"{path}/edit/") | {"display_name": "Renamed"}
        assert administrator.post(f"{path}/edit/", form)["Location"] == f"{path}/"
        assert administrator.post(f"{path}/authorize/").status_code == 303


def test_the_form_goes_on_after_the_password_as_it_was_typed(
    administrator: Client, connected: IntegrationProfile
) -> None:
    path = f"/integration-profiles/{connected.pk}/edit/"
    with later(20):
        form = opened(administrator, path) | {"display_name": "Dropbox & “Söhne” ", "client_secret": SECRET}
        asked = administrator.post(path, form)
        assert is_asked(asked) and SECRET not in asked.content.decode(), "the secret is on no page"
        assert give(administrator, asked)["Location"] == f"/integration-profiles/{connected.pk}/"
        connected.refresh_from_db()
        assert connected.display_name == "Dropbox & “Söhne”"
        assert connected.alias.credentials.get().client_secret == SECRET
        form = opened(administrator, path) | {"client_secret": "another"}
        assert not is_asked(administrator.post(path, form)), "for the next quarter of an hour"


def test_a_role_is_granted_after_the_password(administrator: Client, account: Any) -> None:
    bob = account("sam_user", username="bob")
    groups = [str(pk) for pk in Group.objects.filter(name__in=["sam_user", "sam_admin"]).values_list("pk", flat=True)]
    with later(20):
        asked = administrator.post(f"/core/auth/user/{bob.pk}/change/", account_form(bob, groups=groups))
        assert is_asked(asked)
        assert give(administrator, asked).status_code == 302
    assert set(bob.groups.values_list("name", flat=True)) == {"sam_user", "sam_admin"}


def test_the_consent_page_follows_in_the_window_that_was_opened_for_it(
    administrator: Client, connected: IntegrationProfile
) -> None:
    address = f"/integration-profiles/{connected.pk}/authorize/"
    with later(20):
        asked = administrator.post(address, {"replace_team": "1", "popup": "1"})
        assert is_asked(asked) and 'class="bare"' in asked.content.decode()
        answer = give(administrator, asked)
        assert answer.status_code == 303 and "sandbox.example" in answer["Location"]


def test_a_wrong_password_asks_again_and_the_fifth_ends_the_session(
    administrator: Client, connected: IntegrationProfile
) -> None:
    with later(20):
        asked = administrator.post(f"/integration-profiles/{connected.pk}/disconnect/")
        for number in range(4):
            asked = give(administrator, asked, f"wrong {number}")
            assert is_asked(asked) and "not your password" in pages.text_of(asked.content.decode())
        answer = give(administrator, asked, "wrong again")
        assert answer["Location"].startswith("/accounts/login/") and not is_signed_in(administrator)
    connected.alias.refresh_from_db()
    assert connected.alias.credentials.get().is_connected


def test_wrong_ones_on_both_pages_are_added_up(administrator: Client, connected: IntegrationProfile) -> None:
    with later(20):
        asked = administrator.post(f"/integration-profiles/{connected.pk}/disconnect/")
        for number in range(4):
            give(administrator, asked, f"wrong {number}")
        administrator.post("/accounts/password/", {"old_password": "x", "new_password1": "y", "new_password2": "y"})
        assert not is_signed_in(administrator)


@pytest.mark.parametrize("kind", ["another account's", "of another address", "made up", "too old", "empty"])
def test_a_held_form_is_good_for_its_account_its_address_and_a_quarter_of_an_hour(
    kind: str, administrator: Client, signed_in: Any, connected: IntegrationProfile
) -> None:
    path = f"/integration-profiles/{connected.pk}/disconnect/"
    asker = administrator
    with later(0):
        if kind == "another account's":
            asker = signed_in("sam_integrator", username="eve")
    with later(20):
        asked = asker.post(f"/integration-profiles/{connected.pk}/delete/" if kind == "of another address" else path)
        assert is_asked(asked)
    made = {"made up": "gAAAA" + "x" * 90, "empty": ""}
    with later(40 if kind == "too old" else 20):
        more = {"held": made[kind]} if kind in made else {}
        answer = give(administrator, asked, to=path, **more)
        assert answer.status_code == 302
    connected.alias.refresh_from_db()
    assert connected.alias.credentials.get().is_connected, "nothing was done"


def test_the_page_that_asks_is_no_way_around_the_role(signed_in: Any, connected: IntegrationProfile) -> None:
    reader = signed_in("sam_user")
    answer = reader.post(f"/integration-profiles/{connected.pk}/disconnect/", {"held_form": "x", "password_again": "y"})
    assert answer.status_code == 403


def test_the_minutes_are_a_setting(administrator: Client, connected: IntegrationProfile, settings: Any) -> None:
    settings.REAUTHENTICATE_WITHIN = timedelta(minutes=2)
    with later(3):
        asked = administrator.post(f"/integration-profiles/{connected.pk}/disconnect/")
        assert is_asked(asked) and "last 2 minutes" in pages.text_of(asked.content.decode())


# --- a new profile over somebody else's grant -------------------------------------------------------------------------


@pytest.fixture
def left_over(administrator: Client, connected: IntegrationProfile) -> ConnectionAlias:
    """The parent alias with its grant, after its profile was moved to another alias."""
    alias = connected.alias
    connected.alias = ConnectionAlias.objects.create(name="child", vendor="dropbox", parent=alias)
    connected.save()
    assert alias.credentials.get().is_connected
    return alias


@pytest.mark.parametrize("choice", ["named", "automatic"])
@pytest.mark.parametrize("clients", [{"client_secret": SECRET}, {"client_id": "other", "client_secret": SECRET}, {}])
def test_a_new_profile_takes_no_stored_grant_without_the_password(
    choice: str, clients: dict[str, str], administrator: Client, left_over: ConnectionAlias
) -> None:
    own = {"client_id": left_over.credentials.get().client_id, "client_secret": ""}
    form = filled(display_name="Second", **(own | clients), alias=str(left_over.pk) if choice == "named" else "")
    before = left_over.credentials.values().get()
    with later(20):
        asked = administrator.post(NEW, form)
        assert is_asked(asked) and IntegrationProfile.objects.count() == 1
        assert left_over.credentials.values().get() == before
        give(administrator, asked)
    made = IntegrationProfile.objects.filter(display_name="Second", alias=left_over)
    assert made.exists() or (choice == "automatic" and not clients), "it goes on as it was typed"


@pytest.mark.parametrize("choice", ["new", "", "another"])
def test_a_new_profile_with_an_alias_of_its_own_asks_nobody(
    choice: str, administrator: Client, connected: IntegrationProfile
) -> None:
    free = ConnectionAlias.objects.create(name="free", vendor="dropbox", parent=connected.alias)
    form = filled(display_name="Second", alias=str(free.pk) if choice == "another" else choice)
    with later(20):
        answer = administrator.post(NEW, form)
    assert answer.status_code == 302 and IntegrationProfile.objects.count() == 2
