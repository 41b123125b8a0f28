"""Single sign-on by SAML against a real identity provider: the same groups and roles, and which answers are refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client

from samsaas import roles
from samsaas.models import AuditEntry
from tests import pages
from tests.samsaas.accounts import saml_provider
from tests.samsaas.accounts.factors import CODE_PAGE, App
from tests.samsaas.accounts.saml_provider import START, Directory, carry, pair
from tests.samsaas.sign_in_world import is_signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture(scope="module")
def provider() -> Iterator[Directory]:
    with saml_provider.running() as directory:
        yield directory


@pytest.fixture(autouse=True)
def directory(provider: Directory, settings: Any) -> Directory:
    cache.clear()
    provider.straighten()
    settings.SAML_IDP_ENTITY_ID, settings.SAML_SSO_URL = f"{provider.address}/metadata", f"{provider.address}/sso"
    settings.SAML_IDP_CERTIFICATE = provider.published.pem
    settings.SAML_GROUP_ROLES = ["it-software=sam_admin", "it-heads=admin"]
    settings.SAML_USERNAME_ATTRIBUTE, settings.SAML_FIRST_NAME_ATTRIBUTE = "uid", "givenName"
    return provider


def roles_now(username: str) -> set[str]:
    return roles.roles_of(User.objects.get(username=username))


# --- as with OpenID Connect -------------------------------------------------------------------------------------------


def test_somebody_new_gets_an_account_with_the_roles_of_the_groups(
    directory: Directory, client: Client, settings: Any
) -> None:
    settings.SAML_EMAIL_ATTRIBUTE = "mail"
    directory.put("s1", uid="eve", givenName="Eve", mail="eve@example.com", groups=["it-software", "x"])
    page = client.get("/accounts/login/?next=/people/").content.decode()
    assert f'href="{START}?next=/people/"' in page and "with SAML" not in page, "there is one way, and it needs no name"
    assert directory.sign_on(client, "s1", f"{START}?next=/people/")["Location"] == "/people/"
    assert client.get("/people/new/").status_code == 200 and client.get("/accounts/").status_code == 403
    eve = User.objects.get(username="eve")
    assert not eve.has_usable_password() and (eve.first_name, eve.email) == ("Eve", "eve@example.com")
    known = SocialAccount.objects.get(user=eve)
    assert (known.provider, known.uid, known.extra_data) == ("saml", "s1", {})
    assert AuditEntry.objects.get(verb="created account by sign-on").detail["roles"] == ["sam_admin"]


@pytest.mark.parametrize("groups", [["it-heads-2027"], [], ["IT-HEADS"]], ids=str)
def test_whoever_lost_the_groups_is_refused_and_loses_sessions_and_roles(
    directory: Directory, account: Any, groups: list[str]
) -> None:
    """Also where the provider renamed the group."""
    account("admin", username="root")
    directory.put("s3", uid="lea", groups=["it-heads"])
    elsewhere, here = Client(), Client()
    directory.sign_on(elsewhere, "s3")
    assert is_signed_in(elsewhere) and roles_now("lea") == roles.INCLUDES["admin"]
    directory.put("s3", uid="lea", groups=groups)
    answer = directory.sign_on(here, "s3")
    assert answer.status_code == 403 and "none of your groups" in pages.text_of(answer.content.decode())
    assert not is_signed_in(here) and not is_signed_in(elsewhere) and roles_now("lea") == set()
    assert AuditEntry.objects.get(verb="refused sign-on").object_name == "lea"


def test_nobody_becomes_a_local_administrator_by_name_or_address(
    directory: Directory, account: Any, client: Client, settings: Any
) -> None:
    settings.SAML_EMAIL_ATTRIBUTE = "mail"
    root = account("admin", username="root", email="root@example.com")
    directory.put("root", uid="root", mail="root@example.com", groups=["it-software"])
    directory.sign_on(client, "root")
    assert client.get("/accounts/me/").wsgi_request.user.username == "root-2"
    assert roles_now("root-2") == roles.INCLUDES["sam_admin"] and not SocialAccount.objects.filter(user=root).exists()


def test_a_deactivated_account_is_refused(directory: Directory, client: Client) -> None:
    directory.put("s6", uid="kim", groups=["it-heads"])
    directory.sign_on(Client(), "s6")
    User.objects.filter(username="kim").update(is_active=False)
    assert directory.sign_on(client, "s6")["Location"] == "/accounts/login/"
    assert not is_signed_in(client) and "switched off" in client.get("/accounts/login/").content.decode()


def test_the_second_factor_is_asked_behind_the_provider_too(
    directory: Directory, client: Client, settings: Any
) -> None:
    directory.put("s7", uid="ann", groups=["it-heads"])
    settings.SECOND_FACTOR_ROLES = ["admin"]
    directory.sign_on(client, "s7")
    assert client.get("/")["Location"] == "/accounts/second-factor/"
    app, again = App(User.objects.get(username="ann")), Client()
    assert directory.sign_on(again, "s7")["Location"] == CODE_PAGE and not is_signed_in(again)
    again.post(CODE_PAGE, {"code": app.code()})
    assert is_signed_in(again)


def test_where_there_are_two_ways_the_buttons_say_which_and_no_password_is_needed(
    client: Client, settings: Any
) -> None:
    settings.OIDC_SERVER_URL, settings.SSO_ONLY = "https://idp.example.com", True
    page = client.get("/accounts/login/").content.decode()
    assert "Single sign-on with OpenID Connect" in page and "Single sign-on with SAML" in page
    assert 'name="password"' not in page


def test_the_same_subject_at_two_providers_is_two_people(directory: Directory, client: Client, account: Any) -> None:
    other = account("admin", username="ann")
    SocialAccount.objects.create(user=other, provider="company", uid="s8")
    directory.put("s8", uid="ann", groups=["it-software"])
    directory.sign_on(client, "s8")
    assert client.get("/accounts/me/").wsgi_request.user.username == "ann-2"


# --- answers that are refused -----------------------------------------------------------------------------------------


def refused(directory: Directory, client: Client) -> bool:
    """Whether a sign-in of somebody with a group ends on the page that says so, and nobody is signed in."""
    directory.put("s12", uid="ann", groups=["it-heads"])
    return is_refusal(directory.sign_on(client, "s12"), client)


def is_refusal(answer: Any, client: Client) -> bool:
    assert answer.status_code in (302, 401), answer.status_code
    is_page = answer.status_code == 401 and "Nobody was signed in" in answer.content.decode()
    return is_page and not is_signed_in(client) and not User.objects.exists()


@pytest.mark.parametrize(
    "facts",
    [
        {"audience": "https://another.example.com"},
        {"audience": None},
        {"recipient": "https://another.example.com/accounts/saml/back/"},
        {"recipient": "http://localhost:8000/accounts/saml/back/and/more"},
        {"recipient": None},
        {"destination": "https://another.example.com/"},
        {"issuer": "https://another.example.com"},
        {"in_response_to": "_0123456789"},
        {"in_response_to": None},
        {"not_on_or_after": -90},
        {"confirmed_until": -5},
        {"confirmed_until": None},
        {"not_before": 90},
        {"status": saml_provider.DENIED},
        {"name_id": ""},
        {"name_id": "x" * 300},
        {"format": "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"},
    ],
    ids=str,
)
def test_an_answer_for_somebody_something_or_sometime_else_is_refused(
    directory: Directory, client: Client, facts: dict[str, Any]
) -> None:
    directory.bend(**facts)
    assert refused(directory, client)
    directory.straighten()
    assert not refused(directory, client), "only that was wrong"


@pytest.mark.parametrize("facts", [{"not_before": 45}, {"not_on_or_after": -45}], ids=str)
def test_clocks_may_be_a_minute_apart(directory: Directory, client: Client, facts: dict[str, Any]) -> None:
    directory.bend(**facts)
    assert not refused(directory, client)


def renamed(text: str) -> str:
    """The same answer for a person of another name: its signature is about the former."""
    return text.replace(">s12<", ">s13<")


def promoted(text: str) -> str:
    return text.replace(">it-heads<", ">it-heads2<")


def unsigned(text: str) -> str:
    begin, end = text.index("<ds:Signature"), text.index("</ds:Signature>") + len("</ds:Signature>")
    return text[:begin] + text[end:]


def wrapped(text: str) -> str:
    """A forged assertion where the signed one was, and the signed one inside it, where the signature finds it."""
    begin, end = text.index("<saml:Assertion"), text.index("</saml:Assertion>") + len("</saml:Assertion>")
    signed = text[begin:end]
    forged = unsigned(signed).replace('ID="_', 'ID="_f').replace(">s12<", ">s13<")
    forged = forged.replace(
        "</saml:Issuer>", f"</saml:Issuer><ds:Signature><ds:Object>{signed}</ds:Object></ds:Signature>"
    )
    return text[:begin] + forged + text[end:]


def doubled(text: str) -> str:
    begin, end = text.index("<saml:Assertion"), text.index("</saml:Assertion>") + len("</saml:Assertion>")
    forged = unsigned(text[begin:end]).replace('ID="_', 'ID="_f').replace(">s12<", ">s13<")
    return text[:begin] + forged + text[begin:]


def encrypted(text: str) -> str:
    begin, end = text.index("<saml:Assertion"), text.index("</saml:Assertion>") + len("</saml:Assertion>")
    hidden = '<xenc:EncryptedData xmlns:xenc="http://www.w3.org/2001/04/xmlenc#"/>'
    return f"{text[:begin]}<saml:EncryptedAssertion>{hidden}</saml:EncryptedAssertion>{text[end:]}"


@pytest.mark.parametrize("spoil", [renamed, promoted, unsigned, wrapped, doubled, encrypted])
def test_an_answer_that_was_changed_after_signing_is_refused(
    directory: Directory, client: Client, settings: Any, spoil: Any
) -> None:
    ours = pair("ours")
    settings.SAML_SIGNING_KEY, settings.SAML_SIGNING_CERTIFICATE = ours.key_pem, ours.pem
    directory.spoil = spoil
    assert refused(directory, client)


def test_a_comment_inside_a_name_makes_nobody_else_of_it(directory: Directory, client: Client) -> None:
    """Signatures do not cover comments, and some readers stop at them: root<!-- -->-of-nothing."""
    directory.put("root-of-nothing", uid="ann", groups=["it-heads"])
    directory.spoil = lambda text: text.replace(">root-of-nothing<", ">root<!-- -->-of-nothing<")
    directory.sign_on(client, "root-of-nothing")
    assert SocialAccount.objects.get().uid == "root-of-nothing"


def test_only_the_assertion_signed_by_the_provider_with_a_strong_method_counts(directory: Directory) -> None:
    """Not another key, although it is enclosed; not SHA-1; and not a signature around an assertion that has none."""
    for name, changed in {
        "another key": {"pair": pair("another")},
        "SHA-1": {"digest": "sha1"},
        "the response only": {"signs": {"response"}},
        "nothing": {"signs": set()},
    }.items():
        directory.straighten()
        vars(directory).update(changed)
        assert refused(directory, Client()), name
    directory.straighten()
    directory.signs = {"assertion", "response"}
    assert not refused(directory, Client()), "both is fine"


def test_an_answer_works_once_and_in_no_other_browser(directory: Directory, client: Client) -> None:
    directory.put("s9", uid="ann", groups=["it-heads"])
    form = directory.answer(client.get(START)["Location"], "s9")
    other = Client()
    other.get(START)
    assert carry(other, form).status_code == 401 and not is_signed_in(other)
    assert carry(client, form).status_code == 401 and not is_signed_in(client), "it came before"
    form = directory.answer(client.get(START)["Location"], "s9")
    assert carry(client, form).status_code == 302 and is_signed_in(client)
    client.post("/accounts/logout/")
    assert carry(client, form).status_code == 401 and not is_signed_in(client)
    cache.clear()
    assert carry(client, form).status_code == 401 and not is_signed_in(client), "the question was answered"


def test_whoever_is_signed_in_stays_so_when_a_stranger_sends_an_answer(directory: Directory, client: Client) -> None:
    """The form of a stranger's page comes without cookies, and an answer to nobody's question reaches no session."""
    directory.put("s9", uid="ann", groups=["it-heads"])
    directory.sign_on(client, "s9")
    assert carry(client, saml_provider.encoded("<nonsense/>")).status_code == 401
    assert is_signed_in(client)


def test_the_browser_is_given_nothing_that_scripts_or_other_sites_could_take(
    directory: Directory, client: Client
) -> None:
    directory.put("s9", uid="ann", groups=["it-heads"])
    form, without = directory.answer(client.get(START)["Location"], "s9"), Client()
    without.post(saml_provider.BACK, form)
    cookie = without.cookies["saml-answer"]
    assert (cookie["path"], cookie["samesite"], cookie["httponly"]) == (saml_provider.FINISH, "Lax", True)
    assert list(without.cookies) == ["saml-answer"], "above all no session"


# Ten to the seventh letters, if somebody were to expand them.
ENTITIES = "".join(f"<!ENTITY e{n} '{f'&e{n - 1};' * 10}'>" for n in range(1, 8))
BOMB = f"<!DOCTYPE a [<!ENTITY e0 'z'>{ENTITIES}]><a>&e7;</a>"


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"SAMLResponse": "%%%"},
        {"SAMLResponse": "é" * 5},
        saml_provider.encoded(""),
        saml_provider.encoded("no XML"),
        saml_provider.encoded("<a/>"),
        saml_provider.encoded("<a>" * 20_000),
        saml_provider.encoded('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'),
        saml_provider.encoded('<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'),
        saml_provider.encoded(BOMB),
    ],
    ids=["nothing", "percents", "accents", "empty", "text", "an element", "depth", "entity", "file", "bomb"],
)
def test_nonsense_is_a_page_and_no_error(client: Client, form: dict[str, str]) -> None:
    assert is_refusal(carry(client, form), client)


def test_a_document_type_in_front_of_a_right_answer_is_refused(directory: Directory, client: Client) -> None:
    directory.spoil = lambda text: f"<!DOCTYPE x>{text}"
    assert refused(directory, client)


def test_an_answer_that_is_too_large_is_not_read(client: Client) -> None:
    assert carry(client, {"SAMLResponse": "x" * 140_000}).status_code == 413


def test_what_nobody_started_ends_nowhere(directory: Directory, client: Client) -> None:
    """The provider's own links (unsolicited answers), and the second half without the first."""
    directory.put("s9", uid="ann", groups=["it-heads"])
    directory.bend(in_response_to=None)
    assert is_refusal(directory.sign_on(client, "s9"), client)
    directory.straighten()
    form = directory.answer(Client().get(START)["Location"], "s9")
    assert is_refusal(carry(client, form), client), "nobody asked in this browser"
    assert is_refusal(client.get(saml_provider.FINISH), client)
    client.cookies["saml-answer"] = "made up"
    assert is_refusal(client.get(saml_provider.FINISH), client)


@pytest.mark.parametrize("relay", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_where_to_go_on_is_no_strangers_to_choose(directory: Directory, client: Client, relay: str) -> None:
    directory.put("s14", uid="ann", groups=["it-heads"])
    directory.relay = relay
    assert directory.sign_on(client, "s14", f"{START}?next={relay}&process=connect")["Location"] == "/"


def test_refused_answers_are_counted_in_the_audit_trail_and_cannot_fill_it(client: Client) -> None:
    for _ in range(6):
        carry(client, saml_provider.encoded("<nonsense/>"))
    entries = AuditEntry.objects.filter(verb="refused sign-on").order_by("pk")
    assert [one.detail["failures"] for one in entries] == [1, 5]
    assert "not accepted" in entries[0].detail["reason"]
