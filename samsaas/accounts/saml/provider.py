"""The SAML provider as django-allauth's sign-in sees it: a subject, claims, and the state of the session."""

from __future__ import annotations

from typing import Any

from allauth.socialaccount.providers.saml.provider import SAMLProvider


class CompanySaml(SAMLProvider):
    """The SAML identity provider of the settings. It is given claims that were checked already."""

    def extract_uid(self, data: dict[str, Any]) -> str:
        return str(data["sub"])

    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"userinfo": data}

    def extract_common_fields(self, data: dict[str, Any]) -> dict[str, Any]:
        return {}
