"""What the settings say about the SAML identity provider and about us, and what its attributes mean here."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from django.conf import settings
from django.urls import reverse

PROVIDER = "saml"
TOOLKIT = "samsaas.accounts.saml.toolkit"  # the module that needs the extra
BEGIN = "-----BEGIN"


class AssertionRefused(Exception):
    """What came back is not the answer to our question, or the provider cannot be asked. Nobody is signed in."""


def is_configured() -> bool:
    """Whether there is a SAML identity provider."""
    return bool(settings.SAML_METADATA_URL or settings.SAML_SSO_URL)


def own_address(name: str) -> str:
    """The address of one of our pages as the provider knows it: from PUBLIC_URL, never from a request."""
    return f"{settings.PUBLIC_URL}{reverse(name)}"


def own_name() -> str:
    """Our entity id: whom the provider's answers have to be meant for."""
    return settings.SAML_ENTITY_ID or own_address("saml_metadata")


def read_certificates(text: str) -> list[str]:
    """The certificates of a PEM file, or the one of a bare Base64 text, each as Base64. Raises `ValueError`."""
    if BEGIN in text:
        found = x509.load_pem_x509_certificates(text.encode())
    else:
        found = [x509.load_der_x509_certificate(b64decode("".join(text.split()), validate=True))]
    return [b64encode(one.public_bytes(Encoding.DER)).decode() for one in found]


def is_key_of_certificate() -> bool:
    """Whether our certificate is the one of our key. False if one of them cannot be read."""
    try:
        key = load_pem_private_key(settings.SAML_SIGNING_KEY.encode(), password=None)
        ours = x509.load_pem_x509_certificate(settings.SAML_SIGNING_CERTIFICATE.encode())
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return key.public_key() == ours.public_key()


def claims_from(name_id: str, attributes: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """The attributes of a person under the names that OpenID Connect has for them.

    The operator names the attribute with the address, so the directory's word for it is taken.
    """
    return {
        "sub": _subject(name_id, attributes),
        "preferred_username": _first(attributes, settings.SAML_USERNAME_ATTRIBUTE),
        "email": _first(attributes, settings.SAML_EMAIL_ATTRIBUTE),
        "email_verified": True,
        "given_name": _first(attributes, settings.SAML_FIRST_NAME_ATTRIBUTE),
        "family_name": _first(attributes, settings.SAML_LAST_NAME_ATTRIBUTE),
        "groups": list(attributes.get(settings.SAML_GROUPS_ATTRIBUTE, [])),
    }


def _subject(name_id: str, attributes: Mapping[str, Sequence[Any]]) -> str:
    if not settings.SAML_UID_ATTRIBUTE:
        return name_id
    named = attributes.get(settings.SAML_UID_ATTRIBUTE, [])
    if len(named) != 1 or not isinstance(named[0], str):
        raise AssertionRefused("the attribute that says who somebody is has to have one value")
    return named[0]


def _first(attributes: Mapping[str, Sequence[Any]], name: str) -> Any:
    return next(iter(attributes.get(name, [])), "") if name else ""
