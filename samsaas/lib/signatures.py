"""Ed25519 signatures of this installation (RFC 8032), and the public keys that it believes.

`AUDIT_SIGNING_KEY` is the private key: 32 random bytes in URL-safe Base64, as `manage.py new_audit_key` prints them.
The keys that signed before it are listed as public keys in `AUDIT_PUBLIC_KEYS`. Both come from outside the database, so
that who can only write to the database can neither sign nor make this installation believe another key.

The text of a public key begins with `samsaas-public-`, so that a private key in its place is refused and never shown.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

PUBLIC_PREFIX = "samsaas-public-"
KEY_BYTES = 32
SIGNATURE_BYTES = 64
WRONG_PRIVATE = "AUDIT_SIGNING_KEY is not a key that manage.py new_audit_key printed."
WRONG_PUBLIC = "AUDIT_PUBLIC_KEYS holds something that is no public key: each begins with samsaas-public-."
NO_KEY = "AUDIT_SIGNING_KEY is not set, so nothing can be signed."


class NoKey(ImproperlyConfigured):
    """This installation has no key to sign with."""


@dataclass(frozen=True)
class PublicKey:
    """A key that checks signatures. `id` is short, and stored with everything that was signed."""

    raw: bytes

    @property
    def id(self) -> str:
        return sha256(self.raw).hexdigest()[:16]

    @property
    def text(self) -> str:
        return PUBLIC_PREFIX + urlsafe_b64encode(self.raw).decode().rstrip("=")

    @property
    def pem(self) -> bytes:
        """The key as OpenSSL reads it."""
        loaded = Ed25519PublicKey.from_public_bytes(self.raw)
        return loaded.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Whether the owner of this key signed exactly this message."""
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True)
class SigningKey:
    """The private key. Neither its text nor its bytes are shown anywhere."""

    public: PublicKey
    _private: Ed25519PrivateKey = field(repr=False)

    def sign(self, message: bytes) -> bytes:
        return self._private.sign(message)


def parse_signing_key(text: str) -> SigningKey:
    """Raises ValueError for anything that is not 32 bytes in URL-safe Base64."""
    private = Ed25519PrivateKey.from_private_bytes(_decode(text))
    return SigningKey(PublicKey(private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)), private)


def parse_public_key(text: str) -> PublicKey:
    """Raises ValueError for anything that is no public key, such as a private one."""
    if not text.startswith(PUBLIC_PREFIX):
        raise ValueError("no public key")
    return PublicKey(_decode(text.removeprefix(PUBLIC_PREFIX)))


def _decode(text: str) -> bytes:
    raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    # Base64 has several texts for the same bytes; only one of them is ours.
    if len(raw) != KEY_BYTES or urlsafe_b64encode(raw).decode().rstrip("=") != text.rstrip("="):
        raise ValueError("not 32 bytes")
    return raw


def signing_key() -> SigningKey:
    """The key this installation signs with. Raises `NoKey`, or `ImproperlyConfigured` if it cannot be used."""
    if not settings.AUDIT_SIGNING_KEY:
        raise NoKey(NO_KEY)
    return _read_signing_key(settings.AUDIT_SIGNING_KEY)


def known_keys() -> dict[str, PublicKey]:
    """The public keys whose signatures this installation believes, by id: its own, and those that signed before it.

    Raises `ImproperlyConfigured` if one cannot be used. There may be none.
    """
    keys = list(_read_public_keys(tuple(settings.AUDIT_PUBLIC_KEYS)))
    if settings.AUDIT_SIGNING_KEY:
        keys.append(signing_key().public)
    return {key.id: key for key in keys}


@lru_cache(maxsize=8)
def _read_signing_key(text: str) -> SigningKey:
    try:
        return parse_signing_key(text)
    except ValueError:
        raise ImproperlyConfigured(WRONG_PRIVATE) from None


@lru_cache(maxsize=8)
def _read_public_keys(texts: tuple[str, ...]) -> tuple[PublicKey, ...]:
    try:
        return tuple(parse_public_key(text) for text in texts)
    except ValueError:
        raise ImproperlyConfigured(WRONG_PUBLIC) from None
