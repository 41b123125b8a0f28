"""What a webhook gets: signed JSON by the Standard Webhooks, or the text that Slack or Teams shows."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from standardwebhooks.webhooks import Webhook as Signer

from samsaas.events.kinds import KINDS
from samsaas.models import Notification, Webhook, WebhookCall

Style = Webhook.Style
TEST = Notification(
    kind="test", title="A test from samsaas", text="If you can read this, events arrive here.", path="/webhooks/"
)


def write(call: WebhookCall, now: datetime) -> tuple[bytes, dict[str, str]]:
    """The body of the call and its headers. Raises `encryption.UndecryptableValue`."""
    event, hook = call.event or TEST, call.webhook
    writer = {Style.SLACK: _for_slack, Style.TEAMS: _for_teams}.get(Style(hook.style), _as_data)
    body = json.dumps(writer(event, call, now))
    headers = {"Content-Type": "application/json"}
    return body.encode(), headers | (sign(hook, call.number, body, now) if hook.style == Style.SIGNED else {})


def sign(hook: Webhook, number: str, body: str, now: datetime) -> dict[str, str]:
    """Number, moment and signature (HMAC-SHA256 over all three), as webhook-… headers."""
    moment = now.astimezone(UTC)
    signature = Signer(hook.secret).sign(number, moment, body)
    return {"webhook-id": number, "webhook-timestamp": str(int(moment.timestamp())), "webhook-signature": signature}


def _as_data(event: Notification, call: WebhookCall, now: datetime) -> dict[str, Any]:
    about = {"title": event.title, "text": event.text, "url": _address(event)}
    return {"type": event.kind, "timestamp": (event.at or now).astimezone(UTC).isoformat(), "data": about}


def _for_slack(event: Notification, call: WebhookCall, now: datetime) -> dict[str, Any]:
    lines = [f"*{_slack(event.title)}*", _slack(event.text), f"<{_address(event)}|Open in samsaas>"]
    return {"text": "\n".join(line for line in lines if line)}


def _for_teams(event: Notification, call: WebhookCall, now: datetime) -> dict[str, Any]:
    """An adaptive card, as a Teams workflow takes it."""
    heading = {"type": "TextBlock", "text": _teams(event.title), "weight": "Bolder", "wrap": True}
    text = [{"type": "TextBlock", "text": _teams(event.text), "wrap": True}] if event.text else []
    actions = [{"type": "Action.OpenUrl", "title": "Open in samsaas", "url": _address(event)}]
    card = {"type": "AdaptiveCard", "version": "1.4", "body": [heading, *text], "actions": actions}
    kind = "application/vnd.microsoft.card.adaptive"
    return {"type": "message", "attachments": [{"contentType": kind, "content": card}]}


def _address(event: Notification) -> str:
    return f"{settings.PUBLIC_URL}{event.path}"


def _slack(text: str) -> str:
    """Names come from strangers: nothing in them may become a link or a mention."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _teams(text: str) -> str:
    """Markdown's signs as they are."""
    return "".join(f"\\{letter}" if letter in "\\`*_{}[]()#+-.!|<>" else letter for letter in text)


def label_of(kind: str) -> str:
    """What a kind is called; of one that a later version had, its key."""
    return KINDS[kind].label if kind in KINDS else kind
