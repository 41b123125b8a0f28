"""Single sign-on by SAML against a real identity provider: the same groups and roles, and every answer that is refused."""

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
