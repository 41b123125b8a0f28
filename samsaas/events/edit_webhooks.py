"""Create, change, test and delete a webhook. Address and secret are stored encrypted, and shown to nobody again."""

from __future__ import annotations

import base64
import secrets
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from django.contrib.auth.models import User
from django.db import transaction

from samsaas import audit
from samsaas.events import call
from samsaas.models import Webhook, WebhookCall

SECRET_BYTES = 32


@transaction.atomic
def create(data: dict[str, Any], *, by: User, now: datetime) -> tuple[Webhook, str]:
    """The new webhook, and the secret that its receiver needs, which is told this once; empty for a chat."""
    secret = _new_secret() if data["style"] == Webhook.Style.SIGNED else ""
    hook = Webhook(name=data["name"], style=data["style"], kinds=data["kinds"], active=data["active"], created_at=now)
    hook.url, hook.host, hook.secret = data["url"], _host(data["url"]), secret
    hook.save()
    audit.record(by, "created webhook", hook, host=hook.host, style=hook.style, kinds=hook.kinds)
    return hook, secret


@transaction.atomic
def change(hook: Webhook, data: dict[str, Any], *, by: User) -> None:
    """Store what the form says. An empty address leaves the stored one."""
    before = {"name": hook.name, "host": hook.host, "kinds": hook.kinds, "active": hook.active}
    hook.name, hook.kinds, hook.active = data["name"], data["kinds"], data["active"]
    if data["url"]:
        hook.url, hook.host = data["url"], _host(data["url"])
    if hook.active:
        hook.stopped_at = None
    hook.save()
    after = {"name": hook.name, "host": hook.host, "kinds": hook.kinds, "active": hook.active}
    changed = {name: {"before": before[name], "after": after[name]} for name in after if before[name] != after[name]}
    audit.record(by, "changed webhook", hook, **changed, **({"address": "changed"} if data["url"] else {}))


@transaction.atomic
def renew_secret(hook: Webhook, *, by: User) -> str:
    """A new secret instead of the old one, which is void at once. It is told this once."""
    hook.secret = secret = _new_secret()
    hook.save()
    audit.record(by, "renewed secret of webhook", hook)
    return secret


@transaction.atomic
def delete(hook: Webhook, *, by: User) -> None:
    """Delete it with its calls."""
    audit.record(by, "deleted webhook", hook, host=hook.host)
    hook.delete()


def send_test(hook: Webhook, *, by: User, now: datetime) -> WebhookCall:
    """Send a test now, once, and say what was answered."""
    made = WebhookCall.objects.create(webhook=hook, number=str(uuid4()), queued_at=now, not_before=now)
    audit.record(by, "tested webhook", hook)
    call.make(made.pk, now)
    made.refresh_from_db()
    return made


def _new_secret() -> str:
    return f"whsec_{base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}"


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "")[:255]
