"""System checks of the settings without which no process can work, or none should."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.http.request import validate_host
from kombu.transport import TRANSPORT_ALIASES

from samsaas.accounts.saml import configuration as saml
from samsaas.lib import mail, signatures
from samsaas.lib.hosts import LOOPBACK

NEW_SECRET = "Set SECRET_KEY to at least 50 random characters, the same for every process."  # noqa: S105 - advice
BROKER_FORM = "Set it to redis://:password@host:6379/0, special characters of the password percent-encoded."
SHORTEST_TOKEN = 20
LIBRARIES = "Install requirements-saml.lock, as docs/sign-on.md shows."
NAMED = "Set SAML_METADATA_URL alone, or the three of them."
ONE_ADDRESS = "Use a scheme and a host only, such as https://samsaas.example.com."


def is_local(address: str) -> bool:
    """Whether the address leads to this machine only."""
    return urlsplit(address).hostname in LOOPBACK


def is_loopback(host: str) -> bool:
    """Whether a host, named or numbered, is this machine and reached from this machine only."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host in LOOPBACK


@register(Tags.urls)
def public_url(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """PUBLIC_URL is a scheme and a host. The OAuth redirect URL is built from it, never from a request."""
    parts = urlsplit(settings.PUBLIC_URL)
    more = parts.username or parts.path or parts.query or parts.fragment
    if parts.scheme not in ("http", "https") or not parts.hostname or more:
        shown = settings.PUBLIC_URL.rpartition("@")[2]
        return [Error(f"PUBLIC_URL is not usable: {shown!r}.", hint=ONE_ADDRESS, id="samsaas.E010")]
    if parts.scheme == "http" and not is_local(settings.PUBLIC_URL):
        hint = "Serve the application over https and change PUBLIC_URL: vendors accept plain http on loopback only."
        return [Warning("PUBLIC_URL is plain http on a public host.", hint=hint, id="samsaas.W011")]
    return []


@register(Tags.urls)
def public_host(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """ALLOWED_HOSTS contains the host of PUBLIC_URL. Otherwise every page answers 400."""
    host = urlsplit(settings.PUBLIC_URL).hostname
    if host and not validate_host(host, settings.ALLOWED_HOSTS):
        hint = "Add it to ALLOWED_HOSTS, or leave ALLOWED_HOSTS unset."
        return [Error(f"ALLOWED_HOSTS refuses the host of PUBLIC_URL, {host}.", hint=hint, id="samsaas.E012")]
    return []


@register(Tags.security)
def identity_provider(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """The provider is reached with https, which is why its answers are believed. SSO_ONLY needs one."""
    problems: list[CheckMessage] = []
    address = settings.OIDC_SERVER_URL
    if address and urlsplit(address).scheme != "https" and not is_local(address):
        problems.append(Error("OIDC_SERVER_URL has to begin with https://.", id="samsaas.E030"))
    if address and not settings.OIDC_CLIENT_ID:
        problems.append(Error("OIDC_SERVER_URL is set, and OIDC_CLIENT_ID is not.", id="samsaas.E031"))
    if settings.SSO_ONLY and not address and not saml.is_configured():
        message = "SSO_ONLY is on, and neither OIDC_SERVER_URL nor SAML is set up."
        problems.append(Error(message, id="samsaas.E032"))
    return problems


@register(Tags.security)
def saml_provider(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """The SAML provider is named completely, its libraries are there, and what it signs can be checked."""
    found = list(_named_partly())
    if not saml.is_configured() or found:
        return found
    found += _plain_addresses()
    try:
        import_module(saml.TOOLKIT)
    except Exception as problem:  # xmlsec has its own error for an lxml that does not fit
        message = f"SAML is set up, and its libraries cannot be loaded: {problem}."
        found.append(Error(message, hint=LIBRARIES, id="samsaas.E034"))
    return [*found, *_unusable_keys()]


def _named_partly() -> Iterator[CheckMessage]:
    named = {name: getattr(settings, name) for name in ("SAML_IDP_ENTITY_ID", "SAML_SSO_URL", "SAML_IDP_CERTIFICATE")}
    if settings.SAML_METADATA_URL:
        more = [name for name, value in named.items() if value and name != "SAML_IDP_ENTITY_ID"]
        if more:
            yield Error(f"SAML_METADATA_URL and {' and '.join(more)} are set. Keep one of them.", id="samsaas.E033")
    elif any(named.values()) and not all(named.values()):
        missing = ", ".join(name for name, value in named.items() if not value)
        yield Error(f"SAML is set up in part. Not set: {missing}.", hint=NAMED, id="samsaas.E033")


def _plain_addresses() -> list[CheckMessage]:
    named = [name for name in ("SAML_METADATA_URL", "SAML_SSO_URL") if getattr(settings, name)]
    plain = [name for name in named if urlsplit(getattr(settings, name)).scheme != "https"]
    wrong = [name for name in plain if not is_local(getattr(settings, name))]
    return [Error(f"{name} has to begin with https://.", id="samsaas.E035") for name in wrong]


def _unusable_keys() -> Iterator[CheckMessage]:
    """The key is known to the processes that show pages only, so a certificate alone is no mistake."""
    for name in ("SAML_IDP_CERTIFICATE", "SAML_SIGNING_CERTIFICATE"):
        try:
            if getattr(settings, name):
                saml.read_certificates(getattr(settings, name))
        except ValueError:
            yield Error(f"{name} holds no certificate that can be read.", hint="Write it as PEM.", id="samsaas.E036")
    if settings.SAML_SIGNING_KEY and not saml.is_key_of_certificate():
        hint = "Make both with one command, as docs/sign-on.md shows."
        yield Error("SAML_SIGNING_KEY does not belong to SAML_SIGNING_CERTIFICATE.", hint=hint, id="samsaas.E037")


def development_switches_on() -> list[str]:
    """Those of the switches for development that are on."""
    return [name for name in ("DEBUG", "SANDBOX") if getattr(settings, name)]


@register(Tags.security)
def development_switches(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """DEBUG shows settings to visitors, and SANDBOX gives tokens to anybody: neither on an address others can reach."""
    on = development_switches_on()
    if not on or is_local(settings.PUBLIC_URL):
        return []
    hint = "Unset it: it is for development and the demo, on this machine only."
    message = "{} is on, and PUBLIC_URL is the address of an installation that others use."
    return [Error(message.format(name), hint=hint, id="samsaas.E013") for name in on]


@register(Tags.security)
def audit_keys(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """AUDIT_SIGNING_KEY and AUDIT_PUBLIC_KEYS can be used. That there is none is for the doctor to say."""
    try:
        signatures.known_keys()
    except ImproperlyConfigured as problem:
        hint = "Make a key with manage.py new_audit_key; it also prints the public key to keep."
        return [Error(str(problem), hint=hint, id="samsaas.E020")]
    return []


@register(Tags.security)
def metrics_token(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """METRICS_TOKEN cannot be guessed: nothing counts how often somebody tries."""
    if 0 < len(settings.METRICS_TOKEN) < SHORTEST_TOKEN:
        message = f"METRICS_TOKEN is shorter than {SHORTEST_TOKEN} characters."
        return [Error(message, hint="Set it to random characters, or unset it.", id="samsaas.E022")]
    return []


@register(Tags.compatibility)
def broker_address(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """CELERY_BROKER_URL names a kind of broker that exists."""
    scheme = urlsplit(settings.CELERY_BROKER_URL).scheme
    if scheme not in TRANSPORT_ALIASES:
        message = f"CELERY_BROKER_URL starts with {scheme}://, which is no broker."
        return [Error(message, hint=BROKER_FORM, id="samsaas.E015")]
    return []


@register(Tags.compatibility)
def mail_sender(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """With a mail server there is a sender's address that can be one. A password goes over an encrypted connection."""
    if not settings.EMAIL_HOST:
        return []
    found: list[CheckMessage] = []
    if problem := mail.sender_problem(settings.DEFAULT_FROM_EMAIL):
        hint = "Set it to an address such as licenses@example.com, or to Licenses <licenses@example.com>."
        found.append(Error(f"EMAIL_URL is set, and MAIL_FROM is not usable: {problem}", hint=hint, id="samsaas.E016"))
    encrypted = settings.EMAIL_USE_TLS or settings.EMAIL_USE_SSL
    if settings.EMAIL_HOST_PASSWORD and not encrypted and settings.EMAIL_HOST not in LOOPBACK:
        hint = "Use smtp+tls:// or smtp+ssl:// in EMAIL_URL."
        message = "EMAIL_URL sends the mail server's password over a connection that is not encrypted."
        found.append(Warning(message, hint=hint, id="samsaas.W017"))
    return found
