"""Webhooks: what arrives and verifies, what is tried again, and where nothing is ever sent."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook as Verifier, WebhookVerificationError

from samsaas.events import call, notice, post, tell
from samsaas.models import AuditEntry, Mail, Notification, Webhook, WebhookCall
from tests.samsaas.events.events_world import HOST, MONDAY, Receiver, event, hook, receiver

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
MINUTE = timedelta(minutes=1)


@pytest.fixture
def inside(settings: Any) -> Iterator[Receiver]:
    settings.WEBHOOK_HOSTS_INSIDE = {HOST}
    with receiver() as made:
        yield made


def test_an_event_arrives_once_with_a_signature_that_verifies(inside: Receiver, account: Any) -> None:
    made, secret = hook(account("admin"), inside.url)
    now = datetime.now(UTC)
    event(title="Download of Dropbox failed")
    event("seat.restored")
    tell.run(now)
    assert call.run(now) == {"arrived": 1} and call.run(now) == {}
    ((headers, body),) = inside.got
    told = Verifier(secret).verify(body, {name.lower(): value for name, value in headers.items()})
    assert told["type"] == "run.failed" and told["data"]["title"] == "Download of Dropbox failed"
    assert told["data"]["url"].endswith("/runs/1/")
    with pytest.raises(WebhookVerificationError):
        Verifier(secret).verify(body + b" ", {name.lower(): value for name, value in headers.items()})
    one = WebhookCall.objects.get()
    assert (one.state, one.status, one.tries) == ("arrived", 200, 1) and one.answer.startswith("200 thank you <b>")
    assert len(one.answer) <= 300 and made.calls.count() == 1


@pytest.mark.parametrize(
    ("style", "place", "shown"),
    [
        ("slack", ("text",), "*&lt;!channel&gt; [click](https://evil.example)*"),
        (
            "teams",
            ("attachments", 0, "content", "body", 0, "text"),
            r"\<\!channel\> \[click\]\(https://evil\.example\)",
        ),
    ],
)
def test_a_chat_gets_its_own_text_and_no_name_becomes_a_link_or_a_mention(
    inside: Receiver, account: Any, style: str, place: tuple[Any, ...], shown: str
) -> None:
    """Slack knows links as <address|text> only, and a Teams card as [text](address)."""
    hook(account("admin"), inside.url, style)
    event(title="<!channel> [click](https://evil.example)")
    tell.run(MONDAY)
    call.run(MONDAY)
    ((headers, body),) = inside.got
    text: Any = json.loads(body)
    for step in place:
        text = text[step]
    assert text.splitlines()[0] == shown
    assert not any(name.lower().startswith("webhook-") for name in headers)


def test_what_does_not_arrive_is_tried_eight_times_over_two_days_and_then_the_webhook_is_off(
    inside: Receiver, account: Any
) -> None:
    admin = account("admin", email="root@example.com")
    made, _ = hook(admin, inside.url)
    inside.status, now = 500, MONDAY
    event()
    tell.run(now)
    for pause in (*call.PAUSES, None):
        assert call.run(now) == ({"deferred": 1} if pause else {"failed": 1})
        assert call.run(now + MINUTE / 2) == {}, "not before its pause is over"
        now += pause or MINUTE
    assert len(inside.got) == 8 and len({headers["webhook-id"] for headers, _ in inside.got}) == 1
    made.refresh_from_db()
    assert not made.active and made.stopped_at and AuditEntry.objects.filter(verb="switched off webhook").count() == 1
    notice.run(now)
    tell.run(now)
    assert Mail.objects.filter(to="root@example.com", subject__contains="was switched off").count() == 1
    event(key="2")
    tell.run(now)
    assert call.run(now) == {} and len(inside.got) == 8


def test_it_goes_on_where_a_later_try_arrives(inside: Receiver, account: Any) -> None:
    hook(account("admin"), inside.url)
    inside.status = 429
    event()
    tell.run(MONDAY)
    call.run(MONDAY)
    inside.status = 204
    assert call.run(MONDAY + MINUTE) == {"arrived": 1}
    assert Webhook.objects.get().active and WebhookCall.objects.get().tries == 2


def test_a_redirect_is_not_followed(inside: Receiver, account: Any) -> None:
    with receiver() as secret_place:
        hook(account("admin"), inside.url)
        inside.status, inside.location = 307, secret_place.url
        event()
        tell.run(MONDAY)
        assert call.run(MONDAY) == {"deferred": 1}
        assert not secret_place.got and WebhookCall.objects.get().status == 307


def test_a_receiver_that_drips_its_answer_holds_nobody(inside: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(post, "WHOLE_SECONDS", 0.6)
    inside.drips = True
    answer = post.post(inside.url, b"{}", {})
    assert answer.status is None and "Nothing was answered" in answer.words


def test_nobody_listens(settings: Any) -> None:
    settings.WEBHOOK_HOSTS_INSIDE = {HOST}
    with socket.socket() as free:
        free.bind((HOST, 0))
        answer = post.post(f"http://{HOST}:{free.getsockname()[1]}/secret-path", b"{}", {})
    assert answer.status is None and "secret-path" not in answer.words


@pytest.mark.parametrize(
    "url",
    [
        *(
            "http://hooks.example.com/",
            "ftp://hooks.example.com/",
            "https://127.0.0.1/",
            "https://localhost/",
            "https://[::1]/",
        ),
        *("https://10.0.0.7/", "https://169.254.169.254/latest/", "https://192.168.1.1:8443/", "https://[fd00::1]/"),
        *(
            "https://user:password@hooks.example.com/",
            "https://hooks.example.com\\@10.0.0.1/",
            "https://",
            "hooks.example.com",
        ),
        *(
            "https://2130706433/",
            "https://127.1/",
            "https://0.0.0.0/",
            "https://[::ffff:10.0.0.1]/",
            "javascript:alert(1)",
        ),
    ],
)
def test_no_address_leads_into_a_private_network(url: str) -> None:
    with receiver() as made:
        answer = post.post(url, b"{}", {})
        assert answer.status is None and not made.got
        assert any(words in answer.words for words in ("https://", "private network", "InvalidURL", "Invalid"))


@pytest.mark.parametrize("found", ["10.1.2.3", "127.0.0.1", "169.254.169.254", "::1", "100.64.0.1"])
def test_a_public_name_that_leads_inside_reaches_nothing(found: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def resolve(host: Any, port: Any, *args: Any, **options: Any) -> Any:
        asked.append(host)
        family = socket.AF_INET6 if ":" in found else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (found, port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    answer = post.post("https://rebinding.example.com/hook", b"{}", {})
    assert answer == post.HookAnswer(None, post.PRIVATE) and asked == ["rebinding.example.com"]


def test_two_workers_make_a_call_once(inside: Receiver, account: Any) -> None:
    hook(account("admin"), inside.url)
    event()
    tell.run(MONDAY)
    one = WebhookCall.objects.get()
    WebhookCall.objects.update(owner="another", lease_until=datetime.now(UTC) + timedelta(days=3650))
    assert call.make(one.pk, MONDAY) == "taken" and not inside.got


def test_address_and_secret_are_in_no_log_and_no_row_as_they_are(
    inside: Receiver, account: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    made, secret = hook(account("admin"), f"{inside.url}/T0KEN-OF-THE-CHANNEL")
    event()
    tell.run(MONDAY)
    call.run(MONDAY)
    stored = str([list(model.objects.values()) for model in (Webhook, WebhookCall, Notification)]) + str(
        list(AuditEntry.objects.values_list("detail", "object_name"))
    )
    for text in ("T0KEN-OF-THE-CHANNEL", secret):
        assert text not in caplog.text and text not in stored.replace(made.name, "")
