"""Single sign-on against a real identity provider: groups, refusals, replays, foreign answers."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import oidc_provider_mock
import pytest
import requests
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.contrib.auth.models import Group, User
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client

from samsaas import checks, roles
from samsaas.models import AuditEntry, Invitation, LocalAdministrator
from tests import pages
from tests.samsaas.accounts.factors import CODE_PAGE, App
from tests.samsaas.accounts.mailbox import newest_link
from tests.samsaas.sign_in_world import is_signed_in, try_to

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
START, CHOSEN = "/accounts/sso/company/", "nine purple herons 44"
CONNECT = "allauth.socialaccount.providers.openid_connect.views.OpenIDConnectOAuth2Adapter"


class Directory:
    """The identity provider, as its administrator and as somebody in front of its page."""

    def __init__(self, port: int) -> None:
        self.address = f"http://localhost:{port}"

    def put(self, sub: str, **claims: Any) -> None:
        requests.put(f"{self.address}/users/{sub}", json={"sub": sub, **claims}, timeout=5).raise_for_status()

    def answer(self, address: str, sub: str, *, allow: bool = True) -> str:
        """Fill in the provider's page; gives the path and query that the browser is sent back to."""
        form = {"sub": sub} if allow else {"sub": sub, "action": "deny"}
        back = requests.post(address, data=form, allow_redirects=False, timeout=5)
        assert back.status_code in (302, 303), back.text
        parts = urlsplit(back.headers["Location"])
        return f"{parts.path}?{parts.query}"

    def sign_on(self, client: Client, sub: str, start: str = START) -> Any:
        return client.get(self.answer(client.get(start)["Location"], sub))


@pytest.fixture(scope="module")
def provider() -> Iterator[Directory]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with oidc_provider_mock.run_server_in_thread() as server:
        yield Directory(server.server_port)


@pytest.fixture(autouse=True)
def directory(provider: Directory, settings: Any) -> Directory:
    cache.clear()
    settings.OIDC_SERVER_URL = provider.address
    settings.OIDC_GROUP_ROLES = ["it-software=sam_admin", "it-heads=admin", "typing error=sam_boss"]
    app: dict[str, Any] = {"provider_id": "company", "name": "Single sign-on", "client_id": "samsaas", "secret": "x"}
    app["settings"] = {"server_url": provider.address}
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [app]}}
    return provider


def roles_now(username: str) -> set[str]:
    return roles.roles_of(User.objects.get(username=username))


# --- groups and roles -------------------------------------------------------------------------------------------------


def test_somebody_new_gets_an_account_with_the_roles_of_the_groups(directory: Directory, client: Client) -> None:
    directory.put("s1", preferred_username="eve", given_name="Eve", email="e@example.com", groups=["it-software", "x"])
    page = client.get("/accounts/login/?next=/people/").content.decode()
    assert f'href="{START}?next=/people/"' in page, "a link, because forms are stopped at the provider's own redirects"
    assert directory.sign_on(client, "s1", f"{START}?next=/people/")["Location"] == "/people/"
    assert client.get("/people/new/").status_code == 200 and client.get("/accounts/").status_code == 403
    eve = User.objects.get(username="eve")
    assert not eve.has_usable_password() and eve.first_name == "Eve"
    assert eve.email == "", "nobody verified it"
    assert SocialAccount.objects.get(user=eve).extra_data == {} and not SocialToken.objects.exists()
    assert AuditEntry.objects.get(verb="created account by sign-on").detail["roles"] == ["sam_admin"]
    assert AuditEntry.objects.filter(verb="signed in", actor_name="eve").count() == 1


def test_groups_are_read_anew_at_every_sign_in(directory: Directory) -> None:
    directory.put("s2", preferred_username="kim", email="k@example.com", email_verified=True, groups=["it-heads"])
    directory.sign_on(Client(), "s2")
    assert "admin" in roles_now("kim") and User.objects.get(username="kim").email == "k@example.com"
    User.objects.filter(username="kim").update(is_superuser=True)
    directory.put("s2", preferred_username="kim", groups="it-software")
    directory.sign_on(Client(), "s2")
    assert roles_now("kim") == roles.INCLUDES["sam_admin"], "the superuser's mark went too"
    assert AuditEntry.objects.get(verb="changed access").detail["superuser"] == {"before": True, "after": False}


@pytest.mark.parametrize("groups", [[], None, ["it-softwares"], ["IT-SOFTWARE"], {"it-software": 1}, [["it-heads"]], 7])
def test_whoever_lost_the_groups_is_refused_and_loses_sessions_and_roles(directory: Directory, groups: Any) -> None:
    """Also where the provider renamed the group, or sends something that is no list of names."""
    directory.put("s3", preferred_username="lea", groups=["it-heads"])
    elsewhere, here = Client(), Client()
    directory.sign_on(elsewhere, "s3")
    assert is_signed_in(elsewhere)
    directory.put("s3", preferred_username="lea", groups=groups)
    answer = directory.sign_on(here, "s3")
    assert answer.status_code == 403 and "none of your groups" in pages.text_of(answer.content.decode())
    assert not is_signed_in(here) and not is_signed_in(elsewhere) and roles_now("lea") == set()
    assert AuditEntry.objects.get(verb="refused sign-on").object_name == "lea"


def test_a_stranger_without_a_group_gets_no_account(directory: Directory, client: Client) -> None:
    directory.put("s4", preferred_username="stranger")
    assert directory.sign_on(client, "s4").status_code == 403
    assert not User.objects.exists() and not SocialAccount.objects.exists() and not is_signed_in(client)


def test_nobody_becomes_somebody_else_by_name_or_address(directory: Directory, account: Any, client: Client) -> None:
    root = account("admin", username="root", email="root@example.com")
    directory.put(
        "s5", preferred_username="root", email="root@example.com", email_verified=True, groups=["it-software"]
    )
    directory.sign_on(client, "s5")
    assert client.get("/accounts/me/").wsgi_request.user.username == "root-2" and root.check_password("a long password")
    assert roles_now("root-2") == roles.INCLUDES["sam_admin"] and not SocialAccount.objects.filter(user=root).exists()


def test_a_deactivated_account_stays_out(directory: Directory, client: Client) -> None:
    directory.put("s6", preferred_username="off", groups=["it-heads"])
    directory.sign_on(Client(), "s6")
    User.objects.filter(username="off").update(is_active=False)
    directory.sign_on(client, "s6")
    assert not is_signed_in(client)


def test_the_second_factor_is_asked_behind_the_provider_too(
    directory: Directory, client: Client, settings: Any
) -> None:
    directory.put("s7", preferred_username="ann", groups=["it-heads"])
    settings.SECOND_FACTOR_ROLES = ["admin"]
    directory.sign_on(client, "s7")
    assert client.get("/")["Location"] == "/accounts/second-factor/"
    app, again = App(User.objects.get(username="ann")), Client()
    assert directory.sign_on(again, "s7")["Location"] == CODE_PAGE and not is_signed_in(again)
    again.post(CODE_PAGE, {"code": app.code()})
    assert is_signed_in(again)


def test_an_invited_colleague_signs_on_and_the_invitation_is_accepted(directory: Directory, signed_in: Any) -> None:
    group = Group.objects.get(name="sam_user").pk
    signed_in("admin").post("/accounts/invitations/new/", {"email": "eve@example.com", "groups": [group]})
    link, client = newest_link("eve@example.com"), Client()
    assert f'href="{START}"' in client.get(link).content.decode()
    directory.put("s8", preferred_username="eve", groups=["it-software"])
    directory.sign_on(client, "s8")
    invitation = Invitation.objects.get()
    assert invitation.accepted_at and invitation.account.username == "eve"
    assert roles_now("eve") == roles.INCLUDES["sam_admin"] and Client().get(link).status_code == 404


# --- answers of others ------------------------------------------------------------------------------------------------


def test_a_callback_works_once_and_in_no_other_browser(directory: Directory, client: Client) -> None:
    directory.put("s9", preferred_username="ann", groups=["it-heads"])
    back = directory.answer(client.get(START)["Location"], "s9")
    other = Client()
    assert other.get(back).status_code == 401 and not is_signed_in(other)
    assert client.get(back).status_code == 302 and is_signed_in(client)
    client.post("/accounts/logout/")
    assert client.get(back).status_code == 401 and not is_signed_in(client)


@pytest.mark.parametrize("query", ["", "?code=x", "?state=x&code=x", "?error=access_denied", "?code=%00&state=%ff"])
def test_what_nobody_started_ends_nowhere(client: Client, query: str) -> None:
    assert client.get(f"{START}back/{query}").status_code in (400, 401)
    assert not is_signed_in(client) and not User.objects.exists()


def test_whoever_says_no_at_the_provider_is_told_so(directory: Directory, client: Client) -> None:
    answer = client.get(directory.answer(client.get(START)["Location"], "s9", allow=False))
    assert answer.status_code == 401 and "Nobody was signed in" in answer.content.decode()


@pytest.mark.parametrize("userinfo", [{"groups": ["it-heads"]}, {"sub": "another", "groups": ["it-heads"]}, "text", 7])
def test_a_provider_that_answers_nonsense_is_a_page_and_no_error(
    monkeypatch: Any, directory: Directory, client: Client, userinfo: Any
) -> None:
    directory.put("s10", preferred_username="ann", groups=["it-heads"])
    monkeypatch.setattr(f"{CONNECT}._fetch_user_info", lambda adapter, token: userinfo)
    assert directory.sign_on(client, "s10").status_code == 401
    assert not is_signed_in(client) and not User.objects.exists()


def test_a_provider_that_cannot_be_reached_is_a_page(client: Client, settings: Any) -> None:
    app = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]
    app["settings"] = {"server_url": "http://127.0.0.1:9"}
    assert "Nobody was signed in" in client.get(START).content.decode()


def test_without_a_provider_there_is_no_door(client: Client, settings: Any) -> None:
    settings.OIDC_SERVER_URL = ""
    assert client.get(START).status_code == client.get(f"{START}back/").status_code == 404
    assert "Single sign-on" not in client.get("/accounts/login/").content.decode()


# --- only single sign-on ----------------------------------------------------------------------------------------------


def test_only_local_administrators_keep_their_password(
    ann: User, client: Client, settings: Any, monkeypatch: Any
) -> None:
    settings.SSO_ONLY = True
    assert 'name="password"' not in client.get("/accounts/login/").content.decode()
    assert 'name="password"' in client.get("/accounts/login/?local=1").content.decode()
    right, wrong = try_to(Client()), try_to(Client(), password="wrong")
    assert right.status_code == wrong.status_code == 200
    assert pages.text_of(right.content.decode()) == pages.text_of(wrong.content.decode()), "it confirms no password"
    monkeypatch.setattr("samsaas.management.commands.local_admin.getpass", lambda prompt: CHOSEN)
    call_command("local_admin", "keeper")
    try_to(client, "keeper", CHOSEN)
    assert client.get("/accounts/").status_code == 200 and LocalAdministrator.objects.get().account.username == "keeper"


def test_an_invitation_gives_no_password_then(signed_in: Any, settings: Any) -> None:
    settings.SSO_ONLY = True
    signed_in("admin").post("/accounts/invitations/new/", {"email": "eve@example.com"})
    link = newest_link("eve@example.com")
    assert 'name="password"' not in Client().get(link).content.decode()
    Client().post(link, {"password": CHOSEN, "repeated": CHOSEN})
    assert not User.objects.filter(username="eve@example.com").exists()


def test_settings_that_lock_everybody_out_or_trust_plain_http_are_refused(settings: Any) -> None:
    def found() -> list[str | None]:
        return [problem.id for problem in checks.identity_provider(None)]

    settings.OIDC_CLIENT_ID = "samsaas"
    assert found() == []
    settings.OIDC_SERVER_URL = "http://idp.example.com"
    assert found() == ["samsaas.E030"]
    settings.OIDC_SERVER_URL, settings.OIDC_CLIENT_ID = "https://idp.example.com", ""
    assert found() == ["samsaas.E031"]
    settings.OIDC_SERVER_URL, settings.SSO_ONLY = "", True
    assert found() == ["samsaas.E032"]
