"""Single sign-on against a real identity provider: groups, refusals, replays, foreign answers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import time_machine
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.contrib.auth.models import Group, User
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from samsaas import checks, roles
from samsaas.api import tokens
from samsaas.models import AuditEntry, Invitation, LocalAdministrator
from tests import pages
from tests.samsaas.accounts import identity_provider
from tests.samsaas.accounts.factors import CODE_PAGE, App
from tests.samsaas.accounts.identity_provider import CLIENT_ID, CLIENT_SECRET, START, Directory
from tests.samsaas.accounts.mailbox import newest_link
from tests.samsaas.sign_in_world import is_signed_in, try_to

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
CHOSEN = "nine purple herons 44"


@pytest.fixture(scope="module")
def provider() -> Iterator[Directory]:
    with identity_provider.running() as directory:
        yield directory


@pytest.fixture(autouse=True)
def directory(provider: Directory, settings: Any) -> Directory:
    cache.clear()
    provider.straighten()
    settings.OIDC_SERVER_URL = provider.address
    settings.OIDC_GROUP_ROLES = ["it-software=sam_admin", "it-heads=admin", "typing error=sam_boss"]
    app: dict[str, Any] = {"provider_id": "company", "name": "Single sign-on"}
    app |= {"client_id": CLIENT_ID, "secret": CLIENT_SECRET, "settings": {"server_url": provider.address}}
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


def test_groups_are_read_anew_at_every_sign_in(directory: Directory, account: Any) -> None:
    account("admin", username="root")
    directory.put("s2", preferred_username="kim", email="k@example.com", email_verified=True, groups=["it-heads"])
    directory.sign_on(Client(), "s2")
    assert "admin" in roles_now("kim") and User.objects.get(username="kim").email == "k@example.com"
    User.objects.filter(username="kim").update(is_superuser=True)
    directory.put("s2", preferred_username="kim", groups="it-software")
    directory.sign_on(Client(), "s2")
    assert roles_now("kim") == roles.INCLUDES["sam_admin"], "the superuser's mark went too"
    assert AuditEntry.objects.get(verb="changed access").detail["superuser"] == {"before": True, "after": False}


@pytest.mark.parametrize("groups", [[], None, ["it-softwares"], ["IT-SOFTWARE"], {"it-software": 1}, [["it-heads"]], 7])
def test_whoever_lost_the_groups_is_refused_and_loses_sessions_and_roles(
    directory: Directory, account: Any, groups: Any
) -> None:
    """Also where the provider renamed the group, or sends something that is no list of names."""
    account("admin", username="root")
    directory.put("s3", preferred_username="lea", groups=["it-heads"])
    elsewhere, here = Client(), Client()
    directory.sign_on(elsewhere, "s3")
    assert is_signed_in(elsewhere)
    directory.put("s3", preferred_username="lea", groups=groups)
    answer = directory.sign_on(here, "s3")
    assert answer.status_code == 403 and "none of your groups" in pages.text_of(answer.content.decode())
    assert not is_signed_in(here) and not is_signed_in(elsewhere) and roles_now("lea") == set()
    assert AuditEntry.objects.get(verb="refused sign-on").object_name == "lea"


def test_the_last_administrator_stays_when_the_provider_renames_the_groups(directory: Directory) -> None:
    directory.put("s11", preferred_username="lea", groups=["it-heads"])
    directory.sign_on(Client(), "s11")
    directory.put("s11", preferred_username="lea", groups=["it-heads-2027"])
    client = Client()
    directory.sign_on(client, "s11")
    assert "You keep it, because nobody else has it" in pages.text_of(client.get("/accounts/").content.decode())
    assert roles_now("lea") == roles.INCLUDES["admin"]


def test_a_stranger_without_a_group_gets_no_account(directory: Directory, client: Client) -> None:
    directory.put("s4", preferred_username="stranger")
    assert directory.sign_on(client, "s4").status_code == 403
    assert not User.objects.exists() and not SocialAccount.objects.exists() and not is_signed_in(client)


@pytest.mark.parametrize("verified", [True, False, "true", None])
def test_nobody_becomes_somebody_else_by_name_or_address(
    directory: Directory, account: Any, client: Client, verified: Any
) -> None:
    root, email = account("admin", username="root", email="root@example.com"), "root@example.com"
    directory.put("s5", preferred_username="root", email=email, email_verified=verified, groups=["it-software"])
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


def test_a_token_of_somebody_who_has_left_the_company_rests(
    directory: Directory, client: Client, settings: Any
) -> None:
    directory.put("s8", preferred_username="eve", groups=["it-software"])
    directory.sign_on(client, "s8")
    owner, now = User.objects.get(username="eve"), timezone.now()
    _, text = tokens.make(owner, name="report", role="sam_user", last_day=now.date() + timedelta(days=200), now=now)

    def ask() -> Any:
        return Client().get("/api/v1/people", headers={"Authorization": f"Bearer {text}"})

    with time_machine.travel(now + timedelta(days=29)):
        assert ask().status_code == 200
    with time_machine.travel(now + timedelta(days=31)):
        assert ask().status_code == 401 and "until its owner signs in" in ask().json()["detail"]
        directory.sign_on(Client(), "s8")
        assert ask().status_code == 200
    with time_machine.travel(now + timedelta(days=62)):
        directory.put("s9", preferred_username="ann", groups=["it-heads"])
        directory.sign_on(admin := Client(), "s9")
        assert "Rests until its owner signs on" in admin.get("/api-tokens/").content.decode()
        settings.SSO_TOKEN_DAYS = 0
        assert ask().status_code == 200


# --- answers of others ------------------------------------------------------------------------------------------------


def test_a_callback_works_once_and_in_no_other_browser(directory: Directory, client: Client) -> None:
    directory.put("s9", preferred_username="ann", groups=["it-heads"])
    back = directory.answer(client.get(START)["Location"], "s9")
    other = Client()
    assert other.get(back).status_code == 401 and not is_signed_in(other)
    assert client.get(back).status_code == 302 and is_signed_in(client)
    client.post("/accounts/logout/")
    assert client.get(back).status_code == 401 and not is_signed_in(client)


def refused(directory: Directory, client: Client) -> bool:
    """Whether a sign-in of somebody with a group ends on the page that says so, and nobody is signed in."""
    directory.put("s12", preferred_username="ann", groups=["it-heads"])
    answer = directory.sign_on(client, "s12")
    return answer.status_code == 401 and not is_signed_in(client) and not User.objects.exists()


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "of another sign-in"},
        {"nonce": None},
        {"aud": "another-application"},
        {"aud": [CLIENT_ID, "another-application"], "azp": "another-application"},
        {"iss": "https://another.example.com"},
        {"exp": -120},
        {"iat": 300},
        {"sub": None},
        {"sub": "somebody-else"},
    ],
    ids=str,
)
def test_an_id_token_for_somebody_something_or_sometime_else_is_refused(
    directory: Directory, client: Client, claims: dict[str, Any]
) -> None:
    directory.bend(**claims)
    assert refused(directory, client)
    directory.straighten()
    assert not refused(directory, client), "only that was wrong"


@pytest.mark.parametrize("claims", [{"iat": 45}, {"exp": -45}], ids=str)
def test_clocks_may_be_a_minute_apart(directory: Directory, client: Client, claims: dict[str, Any]) -> None:
    directory.bend(**claims)
    assert not refused(directory, client)


def test_an_id_token_that_the_provider_did_not_sign_is_refused(directory: Directory) -> None:
    """Signed by another key under the same name, by a key that is not published, and with the client's secret."""
    name, another = directory.key.kid, identity_provider.new_key()
    secret = identity_provider.client_secret_as_key()
    for header, key in (
        ({"alg": "RS256", "kid": name}, another),
        ({"alg": "RS256", "kid": "unheard-of"}, another),
        ({"alg": "HS256", "kid": name}, secret),
        ({"alg": "HS256"}, secret),
    ):
        directory.signing = header, key
        assert refused(directory, Client()), header


def test_without_an_id_token_nobody_signs_in(directory: Directory, client: Client) -> None:
    directory.without_id_token = True
    assert refused(directory, client)


def test_a_provider_may_change_its_key(directory: Directory, client: Client) -> None:
    directory.rotate_key()
    assert not refused(directory, client)


def test_a_code_works_once_and_only_for_the_browser_it_was_made_for(directory: Directory) -> None:
    """Somebody else's code under the state of one's own sign-in: the provider misses the verifier."""
    directory.put("s13", preferred_username="ann", groups=["it-heads"])
    first, second = Client(), Client()
    stolen = dict(parse_qsl(urlsplit(directory.answer(first.get(START)["Location"], "s13")).query))
    state = dict(parse_qsl(urlsplit(second.get(START)["Location"]).query))["state"]
    assert second.get(f"{START}back/", {"code": stolen["code"], "state": state}).status_code == 401
    assert first.get(f"{START}back/", stolen).status_code == 401, "the provider ended it"
    used = directory.answer(first.get(START)["Location"], "s13")
    assert first.get(used).status_code == 302
    state = dict(parse_qsl(urlsplit(second.get(START)["Location"]).query))["state"]
    code = dict(parse_qsl(urlsplit(used).query))["code"]
    assert second.get(f"{START}back/", {"code": code, "state": state}).status_code == 401
    assert not is_signed_in(second)


def test_a_link_of_a_stranger_chooses_no_more_than_a_page_of_ours(directory: Directory, client: Client) -> None:
    plain = dict(parse_qsl(urlsplit(client.get(START)["Location"]).query))
    for query in (
        "process=connect&auth_params=redirect_uri%3Dhttps://evil.example&scope=all",
        "next=https://evil.example",
    ):
        address = client.get(f"{START}?{query}")["Location"]
        sent = dict(parse_qsl(urlsplit(address).query))
        assert sent.keys() == plain.keys() and sent["redirect_uri"] == plain["redirect_uri"]
        assert set(sent["scope"].split()) == {"openid", "profile", "email"}
        directory.put("s14", preferred_username="ann", groups=["it-heads"])
        assert client.get(directory.answer(address, "s14"))["Location"] == "/"


@pytest.mark.parametrize("query", ["", "?code=x", "?state=x&code=x", "?error=access_denied", "?code=%00&state=%ff"])
def test_what_nobody_started_ends_nowhere(client: Client, query: str) -> None:
    assert client.get(f"{START}back/{query}").status_code in (400, 401)
    assert not is_signed_in(client) and not User.objects.exists()


def test_whoever_says_no_at_the_provider_is_told_so(directory: Directory, client: Client) -> None:
    answer = client.get(directory.answer(client.get(START)["Location"], "s9", allow=False))
    assert answer.status_code == 401 and "Nobody was signed in" in answer.content.decode()


@pytest.mark.parametrize("userinfo", [{"groups": ["it-heads"]}, {"sub": "another", "groups": ["it-heads"]}, "text", 7])
def test_a_provider_that_answers_nonsense_is_a_page_and_no_error(
    directory: Directory, client: Client, userinfo: Any
) -> None:
    directory.put("s10", preferred_username="ann", groups=["it-heads"])
    directory.userinfo = userinfo
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
