"""SAML as this house takes it: python3-saml's checks, and those that it leaves out.

1. The assertion itself is signed, with SHA-256 or better, by a certificate of the provider.
2. It names us as its audience, our address as its recipient, the question that it answers and until when it holds. For
   python3-saml each of them may be missing, and the question is read from a place that need not be signed.
3. Its subject is the same at the next sign-in.
4. Nothing is decrypted: whoever may send us ciphertext could learn from our answers.
5. The clocks of both sides may be a minute apart.

Our own address is the one of PUBLIC_URL, whatever a request calls us.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from allauth.socialaccount.adapter import get_adapter
from django.conf import settings
from django.core.cache import cache
from django.urls import reverse
from onelogin.saml2.auth import OneLogin_Saml2_Auth
from onelogin.saml2.constants import OneLogin_Saml2_Constants as Names
from onelogin.saml2.idp_metadata_parser import OneLogin_Saml2_IdPMetadataParser
from onelogin.saml2.response import OneLogin_Saml2_Response
from onelogin.saml2.settings import OneLogin_Saml2_Settings
from onelogin.saml2.utils import OneLogin_Saml2_Utils

from samsaas.accounts.saml import configuration
from samsaas.accounts.saml.configuration import AssertionRefused, own_address
from samsaas.lib.hosts import LOOPBACK

CLOCKS_APART = 60  # seconds
Names.ALLOWED_CLOCK_DRIFT = CLOCKS_APART  # for the whole process: python3-saml has no setting for it
# Comes back and is not read. Some providers leave an empty one out, and then a signature that has it does not fit.
RELAY_STATE = "sign-on"
METADATA_FOR = 60 * 60
LARGEST_METADATA = 2 * 1024 * 1024
CONFIRMATION = "/saml:Subject/saml:SubjectConfirmation"
SECURITY = {
    "requestedAuthnContext": False,
    "wantAssertionsSigned": True,
    "wantNameId": False,
    "wantAttributeStatement": False,
    "allowRepeatAttributeName": True,
    "rejectDeprecatedAlgorithm": True,
    "allowSingleLabelDomains": True,
    "signatureAlgorithm": Names.RSA_SHA256,
    "digestAlgorithm": Names.SHA256,
    # Providers keep what was uploaded to them: it has no end.
    "metadataValidUntil": "",
    "metadataCacheDuration": "",
}


@dataclass(frozen=True)
class CheckedAssertion:
    """What the provider says of a person, checked, and which of our questions it answers."""

    assertion: str
    in_response_to: str
    good_until: int
    claims: dict[str, Any]


class StrictResponse(OneLogin_Saml2_Response):
    """A response whose signed assertion says for whom it is, which question it answers, and until when."""

    def confirmation(self) -> Any:
        """The one confirmation of the subject, which python3-saml has then judged as well."""
        found = self._query_assertion(CONFIRMATION)
        data = self._query_assertion(f"{CONFIRMATION}[@Method='{Names.CM_BEARER}']/saml:SubjectConfirmationData")
        if len(found) != 1 or len(data) != 1:
            raise AssertionRefused("the subject is not confirmed once")
        return data[0]

    def read(self, address: str) -> CheckedAssertion:
        """Raises `AssertionRefused`, or what python3-saml raises."""
        self.is_valid(_own_request(), raise_exceptions=True)
        data = self.confirmation()
        if data.get("Recipient") != address or not data.get("InResponseTo") or not data.get("NotOnOrAfter"):
            raise AssertionRefused("the recipient, the question or the end is missing or another one")
        if configuration.own_name() not in self.get_audiences():
            raise AssertionRefused("it is meant for nobody")
        name_id = self.get_nameid_data()
        if name_id.get("Format") == Names.NAMEID_TRANSIENT and not settings.SAML_UID_ATTRIBUTE:
            raise AssertionRefused("the NameID is another one at every sign-in; set SAML_UID_ATTRIBUTE")
        claims = configuration.claims_from((name_id.get("Value") or "").strip(), self.get_attributes())
        until = OneLogin_Saml2_Utils.parse_SAML_to_time(data.get("NotOnOrAfter"))
        return CheckedAssertion(self.get_assertion_id(), data.get("InResponseTo"), until, claims)


def new_question() -> tuple[str, str]:
    """Where the browser goes, and the name of the question that it takes there. Raises if there is no provider."""
    signs = bool(settings.SAML_SIGNING_KEY and settings.SAML_SIGNING_CERTIFICATE)
    asking = OneLogin_Saml2_Auth(_own_request(), _toolkit_settings(identity_provider(), signs=signs))
    address = asking.login(return_to=RELAY_STATE)
    return address, asking.get_last_request_id()


def read_answer(text: str) -> CheckedAssertion:
    """What the provider's form carried. Raises `AssertionRefused`, and whatever the libraries trip over."""
    return StrictResponse(_toolkit_settings(identity_provider()), text).read(own_address("saml_acs"))


def own_metadata() -> bytes:
    """Our side, as providers like to have it uploaded. There need not be a provider yet."""
    signs = bool(settings.SAML_SIGNING_KEY and settings.SAML_SIGNING_CERTIFICATE)
    text = _toolkit_settings(None, signs=signs).get_sp_metadata()
    return text if isinstance(text, bytes) else text.encode()


def identity_provider() -> dict[str, Any]:
    """The provider's name, address and certificates: from the settings, or from its metadata, read once an hour."""
    if settings.SAML_METADATA_URL:
        return _published()
    return {
        "entityId": settings.SAML_IDP_ENTITY_ID,
        "singleSignOnService": {"url": settings.SAML_SSO_URL},
        "x509certMulti": {"signing": configuration.read_certificates(settings.SAML_IDP_CERTIFICATE)},
    }


def _published() -> dict[str, Any]:
    named = f"{settings.SAML_METADATA_URL} {settings.SAML_IDP_ENTITY_ID}"
    key = f"saml-metadata-{sha256(named.encode()).hexdigest()}"
    found: dict[str, Any] | None = cache.get(key)
    if found is None:
        found = _read_metadata(_fetch(settings.SAML_METADATA_URL))
        cache.set(key, found, METADATA_FOR)
    return found


def _read_metadata(text: bytes) -> dict[str, Any]:
    parse = OneLogin_Saml2_IdPMetadataParser.parse
    found: dict[str, Any] = parse(text, entity_id=settings.SAML_IDP_ENTITY_ID or None).get("idp") or {}
    address = urlsplit(found.get("singleSignOnService", {}).get("url", ""))
    if address.scheme != "https" and address.hostname not in LOOPBACK:
        raise AssertionRefused("the metadata names no https address for single sign-on by redirect")
    return found


def _fetch(address: str) -> bytes:
    """The metadata. A redirect might lead to plain http, and is not followed."""
    with get_adapter().get_requests_session() as session:
        answer = session.get(address, stream=True, allow_redirects=False)
        text: bytes = answer.raw.read(LARGEST_METADATA + 1, decode_content=True)
    if answer.status_code != HTTPStatus.OK or len(text) > LARGEST_METADATA:
        raise AssertionRefused(f"SAML_METADATA_URL answered {answer.status_code}, {len(text)} bytes")
    return text


def _own_request() -> dict[str, Any]:
    """The request as python3-saml asks about it: its answers arrive at one address."""
    public = urlsplit(settings.PUBLIC_URL)
    return {
        "https": "on" if public.scheme == "https" else "off",
        "http_host": public.netloc,
        "script_name": "",
        "path_info": reverse("saml_acs"),
        "get_data": {},
        "post_data": {},
    }


def _toolkit_settings(provider: dict[str, Any] | None, *, signs: bool = False) -> OneLogin_Saml2_Settings:
    """The key is there for questions only, so that nothing can be decrypted with it."""
    ours = {
        "entityId": configuration.own_name(),
        "assertionConsumerService": {"url": own_address("saml_acs"), "binding": Names.BINDING_HTTP_POST},
        "NameIDFormat": Names.NAMEID_UNSPECIFIED,
    }
    if signs:
        ours |= {"x509cert": settings.SAML_SIGNING_CERTIFICATE, "privateKey": settings.SAML_SIGNING_KEY}
    whole = {"strict": True, "sp": ours, "security": {**SECURITY, "authnRequestsSigned": signs}}
    if provider is not None:
        whole["idp"] = provider
    return OneLogin_Saml2_Settings(whole, sp_validation_only=provider is None)
