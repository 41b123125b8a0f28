"""A real SMTP server for the tests, on a free port, that takes mails, refuses them, puts them off, dies, or is slow.

What it does with a mail is decided by a script: a function from the address to an answer, or to `None` for taking it.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

Script = Callable[[str], str | None]
DIE, STALL = "die", "stall"


class MailServer:
    """Its handler and what it received. `on_recipient` and `on_text` are the scripts of the two places to refuse at."""

    def __init__(self) -> None:
        self.received: list[EmailMessage] = []
        self.envelopes: list[tuple[str, list[str]]] = []
        self.connections = 0
        self.on_recipient: Script = lambda address: None
        self.on_text: Script = lambda address: None
        self.after_text: Script = lambda address: None
        self.stalls = 0.0
        self.port = 0

    async def handle_EHLO(self, server: SMTP, session: Any, envelope: Any, name: str, answers: list[str]) -> list[str]:  # noqa: N802
        self.connections += 1
        session.host_name = name
        return answers

    async def handle_RCPT(self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]) -> str:  # noqa: N802
        if answer := await self._act(server, self.on_recipient(address)):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802
        if answer := await self._act(server, self.on_text(envelope.rcpt_tos[0])):
            return answer
        self.envelopes.append((envelope.mail_from, list(envelope.rcpt_tos)))
        self.received.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]
        return await self._act(server, self.after_text(envelope.rcpt_tos[0])) or "250 Taken"

    async def _act(self, server: SMTP, answer: str | None) -> str | None:
        if answer == DIE:
            server.transport.abort()  # type: ignore[union-attr]
            return "421 Gone"
        if answer == STALL:
            await asyncio.sleep(self.stalls)
            return None
        return answer

    def text_of(self, number: int = -1) -> str:
        part = self.received[number].get_body(("plain",))
        assert part is not None
        return str(part.get_content())

    def html_of(self, number: int = -1) -> str:
        part = self.received[number].get_body(("html",))
        assert part is not None
        return str(part.get_content())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def run(**options: Any) -> Iterator[MailServer]:
    """A running one. `options` are aiosmtpd's, such as `auth_require_tls`."""
    handler = MailServer()
    handler.port = free_port()
    controller = Controller(handler, hostname="127.0.0.1", port=handler.port, **options)
    controller.start()
    try:
        yield handler
    finally:
        controller.stop()


def only(user: str, password: str) -> Callable[..., AuthResult]:
    """An authenticator that knows one account."""

    def check(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        known = isinstance(data, LoginPassword) and (data.login, data.password) == (user.encode(), password.encode())
        return AuthResult(success=known, handled=False)

    return check
