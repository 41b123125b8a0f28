"""OpenID Connect as this house takes it: django-allauth's flow, with the checks that it leaves out.

1. A nonce goes to the provider and has to come back in the ID token. It is a hash of the state, which belongs to one
   session and works once, so an ID token of another sign-in is refused.
2. Without an ID token nobody signs in. Its signature is checked with the provider's published keys, although it comes
   from the provider itself: a proxy in between may end TLS.
3. The clocks of both sides may be a minute apart.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import jwt
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.oauth2.client import OAuth2Client, OAuth2Error
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.http import HttpRequest

# Signed with a key that only the provider has. The client's secret signs nothing, and "none" is no signature.
SIGNED_WITH = tuple(f"{kind}{size}" for kind in ("RS", "PS", "ES") for size in (256, 384, 512))
CLOCKS_APART = 60  # seconds
NEEDED = ["iss", "sub", "aud", "exp", "iat"]


def nonce_of(state: str) -> str:
    """The nonce that goes with a state."""
    return sha256(f"nonce of {state}".encode()).hexdigest()


class NonceClient(OAuth2Client):
    """Adds the nonce to what the provider is asked."""

    def get_redirect_url(self, authorization_url: str, scope: list[str], extra_params: dict[str, str]) -> str:
        asked = {**extra_params, "nonce": nonce_of(self.state or "")}
        address: str = super().get_redirect_url(authorization_url, scope, asked)
        return address


class CompanyAdapter(OpenIDConnectOAuth2Adapter):
    """Reads the provider's answers."""

    client_class = NonceClient

    def complete_login(self, request: HttpRequest, app: SocialApp, token: SocialToken, **kwargs: Any) -> SocialLogin:
        data = {"id_token": self.read_id_token(app, kwargs["response"].get("id_token"))}
        if self.openid_config.get("userinfo_endpoint"):
            data["userinfo"] = self._fetch_user_info(token.token)
        login: SocialLogin = self.get_provider().sociallogin_from_response(request, data)
        return login

    def read_id_token(self, app: SocialApp, text: Any) -> dict[str, Any]:
        """The claims of an ID token for this client and this sign-in. Raises `OAuth2Error`."""
        try:
            claims: dict[str, Any] = jwt.decode(
                text,
                key=self._key_of(text),
                algorithms=SIGNED_WITH,
                issuer=self.openid_config["issuer"],
                audience=app.client_id,
                leeway=CLOCKS_APART,
                options={"require": NEEDED},
            )
        except jwt.PyJWTError as problem:
            raise OAuth2Error(f"The ID token was refused: {problem}") from problem
        if claims.get("nonce") != nonce_of(self.request.GET.get("state", "")):
            raise OAuth2Error("The ID token was refused: it belongs to another sign-in")
        if claims.get("azp", app.client_id) != app.client_id:
            raise OAuth2Error("The ID token was refused: it was issued to another application")
        return claims

    def _key_of(self, text: Any) -> Any:
        """The published key that the token names. A provider with one key need not name it."""
        named = jwt.get_unverified_header(text).get("kid")
        with get_adapter().get_requests_session() as session:
            answer = session.get(self.openid_config["jwks_uri"])
        answer.raise_for_status()
        published = jwt.PyJWKSet.from_dict(answer.json()).keys
        fitting = [one.key for one in published if named in (None, one.key_id)]
        if len(fitting) != 1:
            raise OAuth2Error("The ID token was refused: the provider publishes no such key")
        return fitting[0]


class CompanyProvider(OpenIDConnectProvider):
    """The identity provider of the settings."""

    oauth2_adapter_class = CompanyAdapter
