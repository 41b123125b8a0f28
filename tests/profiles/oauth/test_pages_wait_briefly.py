"""No page waits for a vendor longer than ten seconds, whatever the vendor does (S-03). Real sockets, a shorter time."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.utils import timezone

from profiles.connectors import base, deadline, tokens, transport
from profiles.connectors.dropbox.sandbox import Fault, Sandbox, serving
from profiles.connectors.dropbox.sandbox.messages import Delivery
from profiles.models import Credential, IntegrationProfile
from profiles.oauth import flow
from tests import worlds

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
SECONDS, SLACK = 0.8, 3.0
TOKEN, INFO, ADMIN = "oauth2/token", "team/get_info", "team/token/get_authenticated_admin"
SLOW = {
    "silent": Delivery(delay=6.0),
    "dripping": Delivery(drip=0.05),
    "dripping in the headers": Delivery(drip=0.05, drip_headers=True),
    "cut": Delivery(truncate=5),
    "reset": Delivery(reset=True),
}


@pytest.fixture
def served(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A Dropbox behind a real port, and pages that wait for it less than a second."""
    sandbox = Sandbox(redirect_uris=[settings.OAUTH_REDIRECT_URL])
    server = serving.serve(sandbox).start()
    for name, path in (("AUTHORIZE", "/oauth2/authorize"), ("TOKEN", "/oauth2/token"), ("API", "")):
        setattr(settings, f"DROPBOX_{name}_URL", server.url + path)
    monkeypatch.setattr(flow, "PAGE_SECONDS", SECONDS)
    monkeypatch.setattr(tokens, "REVOKE_BOUNDS", transport.Bounds(connect=0.4, read=0.4, total=0.4, max_bytes=1000))
    yield sandbox
    server.shutdown()
    server.server_close()


@contextmanager
def within(seconds: float) -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


def credential() -> Credential:
    return Credential.objects.get(purpose="subscriptions")


def come_back(client: Any, draft: IntegrationProfile, sandbox: Sandbox) -> str:
    """Consent, and follow the vendor's answer; the text of the page it leads to."""
    back = worlds.consent(sandbox, worlds.press(client, draft))
    with within(SECONDS + SLACK):
        answer = client.get(back)
    assert answer.status_code == 303
    return client.get(answer["Location"]).content.decode()


def test_the_real_bounds_leave_a_page_within_ten_seconds() -> None:
    assert flow.PAGE_SECONDS < 10 and tokens.TOKEN_BOUNDS.total <= 10
    assert tokens.REVOKE_BOUNDS.total * len(Credential.Purpose.values) < 10


@pytest.mark.parametrize("way", SLOW)
def test_a_slow_token_address_costs_the_page_its_time_and_no_more(
    integrator: Any, draft: IntegrationProfile, served: Sandbox, way: str
) -> None:
    served.faults.add(TOKEN, None, Fault(delivery=SLOW[way]))
    page = come_back(integrator, draft, served)
    assert "cannot be reached" in page or "cannot be read" in page
    assert [route for route, _ in served.log].count(TOKEN) == 1 and credential().state == "new"


@pytest.mark.parametrize("way", SLOW)
@pytest.mark.parametrize("route", [INFO, ADMIN])
def test_a_vendor_slow_to_say_whose_token_it_is_costs_no_code(
    integrator: Any, draft: IntegrationProfile, served: Sandbox, route: str, way: str
) -> None:
    """The code is spent by then: the grant is kept, and the validation, a job, asks again."""
    served.faults.add(route, None, Fault(delivery=SLOW[way]))
    page = come_back(integrator, draft, served)
    assert "The vendor gave this profile a token" in page and "The validation asks again" in page
    held = credential()
    assert held.is_connected and held.refresh_token and held.team_id and not held.admin_external_id
    served.faults.clear()
    assert [run.state for run in worlds.work()] == ["succeeded"]
    held.refresh_from_db()
    draft.refresh_from_db()
    assert held.admin_external_id and held.admin_email and draft.team_name == held.team_name == "Nordwind Trading"


def test_an_answer_that_comes_only_in_the_retry_without_a_secret_shares_the_time(
    integrator: Any, draft: IntegrationProfile, served: Sandbox
) -> None:
    served.faults.add(TOKEN, 1, Fault(status=400, body={"error": "invalid_request"}, delivery=Delivery(delay=0.5)))
    served.faults.add(TOKEN, 2, Fault(delivery=Delivery(delay=6.0)))
    assert "cannot be reached" in come_back(integrator, draft, served)


def test_a_token_of_another_team_than_it_said_is_given_up_by_the_validation(
    integrator: Any, draft: IntegrationProfile, served: Sandbox
) -> None:
    served.faults.add(INFO, 1, Fault(status=503))
    come_back(integrator, draft, served)
    assert credential().is_connected
    served.faults.add(INFO, None, Fault(status=200, body={"team_id": "dbtid:another", "name": "Strangers"}))
    assert [run.state for run in worlds.work()] == ["failed"]
    held = credential()
    assert held.state == "needs_authorization" and "different teams" in held.state_reason


def test_disconnect_waits_briefly_for_two_silent_vendors(
    integrator: Any, draft: IntegrationProfile, served: Sandbox
) -> None:
    come_back(integrator, draft, served)
    Credential.objects.create(
        alias=draft.alias,
        purpose="reclamation",
        client_id="second",
        client_secret="secret",
        client_changed_at=timezone.now(),
        state="connected",
        access_token="sl.second",
    )
    served.faults.add("auth/token/revoke", None, Fault(delivery=Delivery(delay=6.0)))
    with within(2 * 0.4 + SLACK):
        integrator.post(f"/integration-profiles/{draft.pk}/disconnect/")
    assert [held.access_token for held in Credential.objects.all()] == ["", ""]


def test_a_vendor_who_takes_no_connection_at_all(integrator: Any, draft: IntegrationProfile, served: Sandbox) -> None:
    """A listener whose backlog is full: connecting neither succeeds nor fails."""
    back = worlds.consent(served, worlds.press(integrator, draft))
    from django.conf import settings  # noqa: PLC0415 - what the fixture set

    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        settings.DROPBOX_TOKEN_URL = f"http://127.0.0.1:{full.getsockname()[1]}/oauth2/token"
        with within(SECONDS + SLACK):
            integrator.get(back)
        for one in waiting:
            one.close()


BOUNDS = transport.Bounds(connect=0.3, read=0.3, total=0.5, max_bytes=1000)


def slow_look_up(*args: Any, **kwargs: Any) -> Any:
    time.sleep(3.0)
    return []


def many_addresses(*args: Any, **kwargs: Any) -> Any:
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"192.0.2.{last}", 443)) for last in range(1, 60)]


@pytest.mark.parametrize("look_up", [slow_look_up, many_addresses])
def test_neither_the_look_up_of_a_name_nor_its_many_addresses_outlast_the_deadline(
    monkeypatch: pytest.MonkeyPatch, look_up: Callable[..., Any]
) -> None:
    def never(address: Any, timeout: float, **kwargs: Any) -> socket.socket:
        time.sleep(timeout)
        raise TimeoutError("timed out")

    monkeypatch.setattr(deadline.socket, "getaddrinfo", look_up)
    monkeypatch.setattr("urllib3.util.connection.create_connection", never)
    with within(0.5 + SLACK), pytest.raises(base.TryLater):
        transport.exchange_once("https://vendor.example/oauth2/token", b"x", {}, BOUNDS)


def test_a_name_nobody_knows_is_an_outage_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*args: Any, **kwargs: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(deadline.socket, "getaddrinfo", unknown)
    with within(0.4), pytest.raises(base.TryLater) as caught:
        transport.exchange_once("https://vendor.example/oauth2/token", b"x", {}, BOUNDS)
    assert not isinstance(caught.value, base.AnswerLost)


def test_the_second_address_of_a_name_is_tried_when_the_first_takes_no_call(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def answer() -> None:
            connection, _ = listener.accept()
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            connection.close()

        threading.Thread(target=answer, daemon=True).start()
        real = socket.getaddrinfo

        def both(host: str, port: int, *args: Any, **kwargs: Any) -> Any:
            if host != "localhost":
                return real(host, port, *args, **kwargs)
            return [(0, 0, 0, "", ("127.0.0.2", port)), (0, 0, 0, "", ("127.0.0.1", port))]

        monkeypatch.setattr(deadline.socket, "getaddrinfo", both)
        answered = transport.exchange_once(f"http://localhost:{port}/x", b"x", {}, BOUNDS)
        assert answered.body == b"{}"
