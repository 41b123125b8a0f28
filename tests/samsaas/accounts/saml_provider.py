"""A SAML 2.0 identity provider that the tests start: metadata, questions by redirect, answers by a form of its page.

It is as strict as the standard asks a provider to be, so a sign-in that works here asked properly. Its assertions are
signed by another library than the one that reads them. What a wrong provider would send, tests `bend`.
"""

from __future__ import annotations

import html
import re
import secrets
import threading
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from django.test import Client
from lxml import etree
from signxml import XMLSigner

OURS = "http://localhost:8000/accounts/saml"  # PUBLIC_URL of the tests
START, BACK, FINISH = "/accounts/saml/", "/accounts/saml/back/", "/accounts/saml/finish/"
NAMES = {
    "samlp": "urn:oasis:names:tc:SAML:2.0:protocol",
    "saml": "urn:oasis:names:tc:SAML:2.0:assertion",
    "md": "urn:oasis:names:tc:SAML:2.0:metadata",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
}
DECLARED = " ".join(f'xmlns:{prefix}="{name}"' for prefix, name in NAMES.items())
REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
SUCCESS, DENIED = (f"urn:oasis:names:tc:SAML:2.0:status:{word}" for word in ("Success", "Responder"))
PAGE = '<form method="post"><input name="sub"><button>Sign in</button></form>'


class Wrong(Exception):
    """A question that a provider has to refuse."""


class Pair:
    """A key and its certificate."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(65537, 2048)
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
        day = datetime(2020, 1, 1, tzinfo=UTC)
        builder = x509.CertificateBuilder(name, name, self.key.public_key(), 7, day, day + timedelta(days=36500))
        self.certificate = builder.sign(self.key, hashes.SHA256())

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def key_pem(self) -> str:
        form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        return self.key.private_bytes(serialization.Encoding.PEM, *form).decode()

    @property
    def bare(self) -> str:
        return b64encode(self.certificate.public_bytes(serialization.Encoding.DER)).decode()


@cache
def pair(name: str) -> Pair:
    """The same under the same name: making one takes time."""
    return Pair()


class WeakSigner(XMLSigner):
    """Signs with SHA-1, as providers did once."""

    def check_deprecated_methods(self) -> None:
        pass


class Directory:
    """The provider: what it knows, and how its next answers are bent."""

    def __init__(self) -> None:
        self.address = ""
        self.ours = OURS
        self.users: dict[str, dict[str, list[str]]] = {}
        self.straighten()

    def straighten(self) -> None:
        self.pair = self.published = pair("provider")
        self.known_as: Pair | None = None
        self.bent: dict[str, Any] = {}
        self.digest = "sha256"
        self.signs = {"assertion"}
        self.spoil: Callable[[str], str] = str
        self.relay: str | None = None
        self.metadata: str | None = None

    def put(self, sub: str, **attributes: Any) -> None:
        self.users[sub] = attributes

    def bend(self, **facts: Any) -> None:
        """What the next assertions say instead; times in seconds from now, None leaves a fact out."""
        self.bent = facts

    # --- in front of its page

    def answer(self, address: str, sub: str) -> dict[str, str]:
        """Fill in the provider's page; gives the form that it makes the browser send to us."""
        assert requests.get(address, timeout=5).text == PAGE
        page = requests.post(address, data={"sub": sub}, timeout=5)
        assert page.status_code == 200, page.text
        assert f'action="{self.ours}/back/"' in page.text
        return {name: html.unescape(text) for name, text in re.findall(r'name="(\w+)" value="([^"]*)"', page.text)}

    def sign_on(self, client: Client, sub: str, start: str = START) -> Any:
        return carry(client, self.answer(client.get(start)["Location"], sub))

    # --- its endpoints

    def own_metadata(self) -> str:
        certificate = (
            f"<ds:KeyInfo><ds:X509Data><ds:X509Certificate>{self.published.bare}</ds:X509Certificate></ds:X509Data>"
        )
        return self.metadata or (
            f'<md:EntityDescriptor {DECLARED} entityID="{self.address}/metadata"><md:IDPSSODescriptor '
            f'protocolSupportEnumeration="{NAMES["samlp"]}"><md:KeyDescriptor use="signing">{certificate}</ds:KeyInfo>'
            f'</md:KeyDescriptor><md:SingleSignOnService Binding="{REDIRECT}" Location="{self.address}/sso"/>'
            "</md:IDPSSODescriptor></md:EntityDescriptor>"
        )

    def question(self, query: str) -> dict[str, str]:
        """What an application asks, if it is ours and asks properly; signed, where its certificate is known."""
        asked = dict(parse_qsl(query))
        request = etree.fromstring(zlib.decompress(b64decode(asked["SAMLRequest"]), -15))
        issuer = request.findtext("saml:Issuer", namespaces=NAMES)
        sent = {name: request.get(name) for name in ("Version", "Destination", "AssertionConsumerServiceURL")}
        needed = {
            "Version": "2.0",
            "Destination": f"{self.address}/sso",
            "AssertionConsumerServiceURL": f"{self.ours}/back/",
        }
        if sent != needed or issuer != f"{self.ours}/metadata/" or not request.get("ID"):
            raise Wrong("this is no question of an application that is registered")
        if self.known_as:
            key: Any = self.known_as.certificate.public_key()
            sent = dict(part.split("=", 1) for part in query.split("&"))
            signed = "&".join(f"{name}={sent[name]}" for name in ("SAMLRequest", "RelayState", "SigAlg") if sent[name])
            key.verify(b64decode(asked["Signature"]), signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return {"id": request.get("ID", ""), "relay": asked.get("RelayState", "")}

    def form(self, query: str, sub: str) -> str:
        asked = self.question(query)
        relay = asked["relay"] if self.relay is None else self.relay
        fields = {"SAMLResponse": b64encode(self.response(asked["id"], sub).encode()).decode(), "RelayState": relay}
        inputs = "".join(f'<input type="hidden" name="{n}" value="{html.escape(v)}">' for n, v in fields.items())
        return f'<form method="post" action="{self.ours}/back/">{inputs}<button>Continue</button></form>'

    def response(self, asked: str, sub: str) -> str:
        facts = {"in_response_to": asked, "destination": f"{self.ours}/back/", "status": SUCCESS, **self.bent}
        assertion = self.assertion(asked, sub)
        attributes = _attributes(InResponseTo=facts["in_response_to"], Destination=facts["destination"])
        whole = (
            f'<samlp:Response {DECLARED} ID="{_id()}" Version="2.0" IssueInstant="{_moment(0)}"{attributes}>'
            f"<saml:Issuer>{self.address}/metadata</saml:Issuer>{_place(self.signs, 'response')}"
            f'<samlp:Status><samlp:StatusCode Value="{facts["status"]}"/></samlp:Status>{assertion}</samlp:Response>'
        )
        return self.spoil(self.sign(whole) if "response" in self.signs else whole)

    def assertion(self, asked: str, sub: str) -> str:
        usual = {
            "audience": f"{self.ours}/metadata/",
            "recipient": f"{self.ours}/back/",
            "in_response_to": asked,
            "format": PERSISTENT,
        }
        times = {"not_before": -5, "not_on_or_after": 300, "confirmed_until": 300}
        facts = {**usual, **times, "issuer": f"{self.address}/metadata", "name_id": sub, **self.bent}
        data = _attributes(
            Recipient=facts["recipient"],
            InResponseTo=facts["in_response_to"],
            NotOnOrAfter=_moment(facts["confirmed_until"]),
        )
        period = _attributes(NotBefore=_moment(facts["not_before"]), NotOnOrAfter=_moment(facts["not_on_or_after"]))
        audience = f"<saml:Audience>{facts['audience']}</saml:Audience>"
        audience = f"<saml:AudienceRestriction>{audience}</saml:AudienceRestriction>" if facts["audience"] else ""
        text = (
            f'<saml:Assertion {DECLARED} ID="{_id()}" Version="2.0" IssueInstant="{_moment(0)}">'
            f"<saml:Issuer>{facts['issuer']}</saml:Issuer>{_place(self.signs, 'assertion')}"
            f'<saml:Subject><saml:NameID Format="{facts["format"]}">{html.escape(facts["name_id"])}</saml:NameID>'
            f'<saml:SubjectConfirmation Method="{BEARER}"><saml:SubjectConfirmationData{data}/>'
            f"</saml:SubjectConfirmation></saml:Subject><saml:Conditions{period}>{audience}</saml:Conditions>"
            f'<saml:AuthnStatement AuthnInstant="{_moment(0)}"><saml:AuthnContext><saml:AuthnContextClassRef>'
            "urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext>"
            f"</saml:AuthnStatement>{_statement(self.users.get(sub, {}))}</saml:Assertion>"
        )
        return self.sign(text) if "assertion" in self.signs else text

    def sign(self, text: str) -> str:
        root = etree.fromstring(text)
        kind = XMLSigner if self.digest == "sha256" else WeakSigner
        exclusive = "http://www.w3.org/2001/10/xml-exc-c14n#"
        signer = kind(signature_algorithm=f"rsa-{self.digest}", digest_algorithm=self.digest, c14n_algorithm=exclusive)
        own = self.pair.key_pem, [self.pair.pem]
        signed = signer.sign(root, key=own[0], cert=own[1], reference_uri=root.get("ID"), id_attribute="ID")
        return etree.tostring(signed).decode()


def carry(client: Client, form: dict[str, str]) -> Any:
    """Bring the form to us as a browser does: another site's form comes without cookies, and ours are kept."""
    without = Client(enforce_csrf_checks=True)
    answer = without.post(BACK, urlencode(form), content_type="application/x-www-form-urlencoded")
    client.cookies.update(without.cookies)
    return client.get(answer["Location"]) if answer.status_code == 302 else answer


def encoded(text: str) -> dict[str, str]:
    return {"SAMLResponse": b64encode(text.encode()).decode()}


def decoded(form: dict[str, str]) -> str:
    return b64decode(form["SAMLResponse"]).decode()


def _id() -> str:
    return f"_{secrets.token_hex(16)}"


def _moment(seconds: int | None) -> str | None:
    if seconds is None:
        return None
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _attributes(**given: str | None) -> str:
    return "".join(f' {name}="{value}"' for name, value in given.items() if value is not None)


def _place(signs: set[str], what: str) -> str:
    """Where the signature belongs: behind the issuer, says the schema."""
    return '<ds:Signature Id="placeholder"></ds:Signature>' if what in signs else ""


def _statement(attributes: dict[str, Any]) -> str:
    texts = []
    for name, value in attributes.items():
        values = [value] if isinstance(value, str) else value
        inside = "".join(f"<saml:AttributeValue>{html.escape(one)}</saml:AttributeValue>" for one in values)
        texts.append(f'<saml:Attribute Name="{name}">{inside}</saml:Attribute>')
    return f"<saml:AttributeStatement>{''.join(texts)}</saml:AttributeStatement>" if texts else ""


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
        parts = urlsplit(self.path)
        if parts.path == "/metadata":
            self.send(self.directory.own_metadata(), kind="application/samlmetadata+xml")
        elif parts.path == "/sso":
            self.directory.question(parts.query)
            self.send(PAGE)
        else:
            self.send("")  # browsers ask for an icon

    def do_POST(self) -> None:
        filled = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        self.send(self.directory.form(urlsplit(self.path).query, filled["sub"]))

    def send(self, text: str, *, kind: str = "text/html") -> None:
        data = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: Any) -> None:
        """Says nothing: the tests look at the answers."""
