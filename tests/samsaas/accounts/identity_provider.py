"""An OpenID Connect provider that the tests start: discovery, published keys, authorization codes with PKCE, userinfo.

It is as strict as the standards ask a provider to be, so a sign-in that works here sent what it has to. Its ID tokens
are signed by another library than the one that reads them. What a wrong provider would send, tests `bend`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import requests
from django.test import Client
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

CLIENT_ID, CLIENT_SECRET = "samsaas", "a secret of thirty two characters"
START = "/accounts/sso/company/"
LIFE = 300  # seconds


class Wrong(Exception):
    """A request that a provider has to refuse."""


class Directory:
    """The provider: what it knows, and how its next answers are bent."""

    def __init__(self) -> None:
        self.address = ""
        self.callback = f"http://testserver{START}back/"
        self.key = new_key()
        self.users: dict[str, dict[str, Any]] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.tokens: dict[str, str] = {}
        self.straighten()

    def straighten(self) -> None:
        self.bent: dict[str, Any] = {}
        self.userinfo: Any = None
        self.without_id_token = False
        self.signing: Any = None

    def put(self, sub: str, **claims: Any) -> None:
        self.users[sub] = {"sub": sub, **claims}

    def bend(self, **claims: Any) -> None:
        """What the next ID tokens claim instead; `exp` and `iat` in seconds from now, None leaves one out."""
        self.bent = claims

    def rotate_key(self) -> None:
        self.key = new_key()

    # --- in front of its page

    def answer(self, address: str, sub: str, *, allow: bool = True) -> str:
        """Fill in the provider's page; gives the path and query that the browser is sent back to."""
        assert requests.get(address, timeout=5).ok
        form = {"sub": sub} if allow else {"sub": sub, "action": "deny"}
        back = requests.post(address, data=form, allow_redirects=False, timeout=5)
        assert back.status_code == 303, back.text
        parts = urlsplit(back.headers["Location"])
        return f"{parts.path}?{parts.query}"

    def sign_on(self, client: Client, sub: str, start: str = START) -> Any:
        return client.get(self.answer(client.get(start)["Location"], sub))

    # --- its endpoints

    def configuration(self) -> dict[str, Any]:
        return {
            "issuer": self.address,
            "authorization_endpoint": f"{self.address}/authorize",
            "token_endpoint": f"{self.address}/token",
            "userinfo_endpoint": f"{self.address}/userinfo",
            "jwks_uri": f"{self.address}/jwks",
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        }

    def check_request(self, asked: dict[str, str]) -> None:
        needed = {"client_id": CLIENT_ID, "redirect_uri": self.callback, "response_type": "code"}
        needed["code_challenge_method"] = "S256"
        is_whole = all(asked.get(name) for name in ("state", "nonce", "code_challenge"))
        if not is_whole or not needed.items() <= asked.items() or "openid" not in asked.get("scope", "").split():
            raise Wrong("invalid_request")

    def authorize(self, asked: dict[str, str], form: dict[str, str]) -> str:
        """Where the browser goes, with a code or with an error."""
        self.check_request(asked)
        if form.get("action") == "deny":
            return f"{self.callback}?{urlencode({'error': 'access_denied', 'state': asked['state']})}"
        code = secrets.token_urlsafe(24)
        self.codes[code] = {**asked, "sub": form["sub"]}
        return f"{self.callback}?{urlencode({'code': code, 'state': asked['state']})}"

    def exchange(self, form: dict[str, str], authorization: str) -> dict[str, Any]:
        """Tokens for a code, once, for the client that it was made for and that knows the verifier."""
        basic = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if authorization != f"Basic {basic}":
            raise Wrong("invalid_client")
        asked = self.codes.pop(form.get("code", ""), None)
        if asked is None or form.get("redirect_uri") != self.callback:
            raise Wrong("invalid_grant")
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != asked["code_challenge"]:
            raise Wrong("invalid_grant")
        token = secrets.token_urlsafe(24)
        self.tokens[token] = asked["sub"]
        answer = {"access_token": token, "token_type": "Bearer", "expires_in": LIFE}
        return answer if self.without_id_token else {**answer, "id_token": self.id_token(asked)}

    def id_token(self, asked: dict[str, str]) -> str:
        now = int(time.time())
        bent = {name: now + value if name in ("exp", "iat") else value for name, value in self.bent.items()}
        claims = {"iss": self.address, "sub": asked["sub"], "aud": CLIENT_ID, "nonce": asked["nonce"]}
        whole = {**claims, "iat": now, "exp": now + LIFE, **bent}
        header, key = self.signing or ({"alg": "RS256", "kid": self.key.kid}, self.key)
        return jwt.encode(header, {name: value for name, value in whole.items() if value is not None}, key)

    def claims_for(self, authorization: str) -> Any:
        sub = self.tokens.get(authorization.removeprefix("Bearer "))
        if sub is None:
            raise Wrong("invalid_token")
        return self.users.get(sub, {"sub": sub}) if self.userinfo is None else self.userinfo


def new_key() -> RSAKey:
    return RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256", "kid": secrets.token_hex(8)})


def client_secret_as_key() -> OctKey:
    return OctKey.import_key(CLIENT_SECRET)


@contextmanager
def running() -> Iterator[Directory]:
    """The provider on a free port of this machine, until the block ends."""
    directory = Directory()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Answer", (Endpoints,), {"directory": directory}))
    directory.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield directory
    finally:
        server.shutdown()
        server.server_close()


class Endpoints(BaseHTTPRequestHandler):
    directory: Directory

    def do_GET(self) -> None:
        self.answer_safely(self.get)

    def do_POST(self) -> None:
        self.answer_safely(self.post)

    def get(self, path: str, asked: dict[str, str]) -> None:
        directory = self.directory
        if path == "/authorize":
            directory.check_request(asked)
            self.send("<form method=post><input name=sub><button>Sign in</button></form>", kind="text/html")
        elif path == "/userinfo":
            self.send(directory.claims_for(self.headers.get("Authorization", "")))
        elif path == "/jwks":
            self.send({"keys": [directory.key.as_dict(private=False)]})
        elif path == "/.well-known/openid-configuration":
            self.send(directory.configuration())
        else:
            self.send({"error": "not_found"}, status=404)

    def post(self, path: str, asked: dict[str, str]) -> None:
        form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        if path == "/token":
            self.send(self.directory.exchange(form, self.headers.get("Authorization", "")))
        else:
            self.send("", status=303, kind="text/plain", to=self.directory.authorize(asked, form))

    def answer_safely(self, method: Any) -> None:
        parts = urlsplit(self.path)
        try:
            method(parts.path, dict(parse_qsl(parts.query)))
        except Wrong as wrong:
            self.send({"error": str(wrong)}, status=400)

    def send(self, body: Any, *, status: int = 200, kind: str = "application/json", to: str = "") -> None:
        data = (json.dumps(body) if kind == "application/json" else body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        if to:
            self.send_header("Location", to)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: Any) -> None:
        """Says nothing: the tests look at the answers."""
