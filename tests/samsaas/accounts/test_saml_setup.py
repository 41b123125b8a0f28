"""Setting up single sign-on by SAML: what the provider is told, what it publishes, and settings that cannot work."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from lxml import etree

from samsaas import checks
from samsaas.accounts.saml import configuration
from tests.samsaas.accounts import saml_provider
from tests.samsaas.accounts.saml_provider import BACK, FINISH, NAMES, OURS, START, Directory, carry, pair
from tests.samsaas.sign_in_world import is_signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
METADATA = "/accounts/saml/metadata/"


@pytest.fixture(scope="module")
def provider() -> Iterator[Directory]:
    with saml_provider.running() as directory:
        yield directory


@pytest.fixture(autouse=True)
def directory(provider: Directory, settings: Any) -> Directory:
    cache.clear()
    provider.straighten()
    provider.put("s1", uid="ann", groups=["it-heads"])
    settings.SAML_METADATA_URL = f"{provider.address}/metadata"
    settings.SAML_GROUP_ROLES = ["it-heads=admin"]
    return provider


# --- the provider's side ----------------------------------------------------------------------------------------------


def test_the_metadata_of_the_provider_is_all_it_takes_and_is_read_once_an_hour(
    directory: Directory, client: Client
) -> None:
    directory.sign_on(client, "s1")
    assert is_signed_in(client)
    directory.metadata = "gone"
    assert directory.sign_on(Client(), "s1").status_code == 302
    cache.clear()
    assert "Nobody was signed in" in client.get(START).content.decode()


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("<md:EntityDescriptor", "<!DOCTYPE a><md:EntityDescriptor"), ("http://127.0.0.1", "http://idp.example.com")],
    ids=["document type", "plain http"],
)
def test_metadata_that_cannot_be_trusted_is_a_page(
    directory: Directory, client: Client, wrong: str, right: str
) -> None:
    directory.metadata = directory.own_metadata().replace(wrong, right)
    assert client.get(START).status_code == 401


def test_a_provider_that_cannot_be_reached_is_a_page(client: Client, settings: Any) -> None:
    settings.SAML_METADATA_URL = "http://127.0.0.1:9/metadata"
    assert client.get(START).status_code == carry(client, saml_provider.encoded("<a/>")).status_code == 401


def test_a_provider_may_change_its_key_while_both_certificates_are_known(
    directory: Directory, client: Client, settings: Any
) -> None:
    settings.SAML_METADATA_URL = ""
    settings.SAML_IDP_ENTITY_ID, settings.SAML_SSO_URL = f"{directory.address}/metadata", f"{directory.address}/sso"
    settings.SAML_IDP_CERTIFICATE = directory.pair.pem + pair("next").pem
    directory.pair = pair("next")
    directory.sign_on(client, "s1")
    assert is_signed_in(client)


def test_somebody_may_be_known_by_an_attribute_instead_of_the_name(
    directory: Directory, client: Client, settings: Any
) -> None:
    settings.SAML_UID_ATTRIBUTE = "objectid"
    directory.put("s1", uid="ann", objectid=["7", "8"], groups=["it-heads"])
    assert directory.sign_on(client, "s1").status_code == 401, "which of them"
    directory.put("s1", uid="ann", objectid="7", groups=["it-heads"])
    directory.bend(format="urn:oasis:names:tc:SAML:2.0:nameid-format:transient")
    directory.sign_on(client, "s1")
    assert client.get("/accounts/me/").wsgi_request.user.socialaccount_set.get().uid == "7"


# --- our side ---------------------------------------------------------------------------------------------------------


def test_our_metadata_says_where_answers_go_and_that_they_have_to_be_signed_and_has_no_end(
    client: Client, settings: Any
) -> None:
    settings.SAML_METADATA_URL = ""
    answer = client.get(METADATA)
    assert answer["Content-Type"] == "application/samlmetadata+xml", "before there is a provider: it is asked for first"
    ours = etree.fromstring(answer.content)
    consumer = ours.find(".//md:AssertionConsumerService", NAMES)
    assert ours.get("entityID") == f"{OURS}/metadata/" and consumer.get("Location") == f"{OURS}/back/"
    assert ours.find(".//md:SPSSODescriptor", NAMES).get("WantAssertionsSigned") == "true"
    assert "validUntil" not in ours.attrib and ours.find(".//md:KeyDescriptor", NAMES) is None
    settings.SAML_ENTITY_ID = "urn:our:name"
    assert etree.fromstring(client.get(METADATA).content).get("entityID") == "urn:our:name"


def test_with_a_key_our_questions_are_signed_and_the_metadata_has_its_certificate(
    directory: Directory, client: Client, settings: Any
) -> None:
    ours = pair("ours")
    settings.SAML_SIGNING_KEY, settings.SAML_SIGNING_CERTIFICATE = ours.key_pem, ours.pem
    directory.known_as = ours
    directory.sign_on(client, "s1")
    assert is_signed_in(client)
    text = "".join(client.get(METADATA).content.decode().split())
    assert ours.bare in text and 'AuthnRequestsSigned="true"' in text and ours.key_pem[40:80] not in text


def test_without_a_provider_there_is_no_door_and_without_the_libraries_no_page(
    client: Client, settings: Any, monkeypatch: Any
) -> None:
    settings.SAML_METADATA_URL = ""
    assert client.get(START).status_code == client.get(FINISH).status_code == client.post(BACK).status_code == 404
    assert "Single sign-on" not in client.get("/accounts/login/").content.decode()
    monkeypatch.setattr("samsaas.accounts.saml_views.TOOLKIT", "samsaas.accounts.saml.nothing")
    assert client.get(METADATA).status_code == 404


# --- settings ---------------------------------------------------------------------------------------------------------


def found() -> list[str | None]:
    return [problem.id for problem in checks.saml_provider(None)]


def test_settings_that_cannot_work_are_refused_by_name(directory: Directory, settings: Any, monkeypatch: Any) -> None:
    assert found() == []
    settings.SAML_SSO_URL = "https://idp.example.com/sso"
    assert found() == ["samsaas.E033"], "one or the other"
    settings.SAML_METADATA_URL = ""
    assert "SAML_IDP_ENTITY_ID, SAML_IDP_CERTIFICATE" in checks.saml_provider(None)[0].msg
    settings.SAML_IDP_ENTITY_ID, settings.SAML_IDP_CERTIFICATE = "https://idp.example.com", "no certificate"
    assert found() == ["samsaas.E036"]
    settings.SAML_IDP_CERTIFICATE, settings.SAML_SSO_URL = pair("provider").bare, "http://idp.example.com/sso"
    assert found() == ["samsaas.E035"]
    settings.SAML_SSO_URL, settings.SAML_SIGNING_KEY = "https://idp.example.com/sso", pair("ours").key_pem
    assert found() == ["samsaas.E037"]
    settings.SAML_SIGNING_CERTIFICATE = pair("another").pem
    assert found() == ["samsaas.E037"]
    settings.SAML_SIGNING_CERTIFICATE = pair("ours").pem
    assert found() == []
    monkeypatch.setattr(configuration, "TOOLKIT", "samsaas.accounts.saml.nothing")
    assert found() == ["samsaas.E034"] and "requirements-saml.lock" in checks.saml_provider(None)[0].hint


def test_only_single_sign_on_may_be_saml(settings: Any) -> None:
    settings.SSO_ONLY = True
    assert checks.identity_provider(None) == []
    settings.SAML_METADATA_URL = ""
    assert [problem.id for problem in checks.identity_provider(None)] == ["samsaas.E032"]
