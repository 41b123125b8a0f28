"""A mail as it travels, and the mail server's answers in three words: refused, later, not reachable.

The text is the mail; the HTML beside it is made from the text. Only our own link is a link there: other addresses in a
text may have been put into a name by a stranger.
"""

from __future__ import annotations

import re
import smtplib
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime, parseaddr
from types import TracebackType
from typing import Self

from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.message import sanitize_address
from django.template.loader import render_to_string

from samsaas.lib.redaction import redact

LONGEST_ERROR = 300
LONGEST_LOCAL_PART = 64  # RFC 5321
SECONDS = 90  # for one mail, however slowly the server answers
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
DOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?", re.IGNORECASE)
SPECIALS = re.compile(r'[\s"(),:;<>@\[\]\\]')
NO_ADDRESS = "It is no e-mail address."
LETTERS = "The part before the @ has letters that only few mail servers take, so it is not sent."


class MailRefused(Exception):
    """The mail will never be accepted. The text says why."""


class MailDeferred(Exception):
    """The mail may be accepted later. The text says why it was not now."""


class ServerUnusable(MailDeferred):
    """No mail can be sent at present: the server cannot be reached, or does not let us in."""


@dataclass(frozen=True, kw_only=True)
class Letter:
    """What is sent. `text` has `mark` where `link` stands; `key` is the same at every attempt to send it.

    `one_click`: the link stops such mails.
    """

    to: str
    subject: str
    text: str
    mark: str
    link: str
    key: str
    at: datetime
    one_click: bool = False
    file_name: str = ""
    file: str = ""


def address_problem(address: str) -> str:
    """Why nobody can be reached at this address; empty if it may be one. An international domain is one."""
    local, _, domain = address.rpartition("@")
    if not local or len(local) > LONGEST_LOCAL_PART or CONTROLS.search(address) or SPECIALS.search(local):
        return NO_ADDRESS
    if not local.isascii():
        return LETTERS
    with suppress(UnicodeError):
        return "" if DOMAIN.fullmatch(domain.encode("idna").decode()) else NO_ADDRESS
    return NO_ADDRESS


def sender_problem(sender: str) -> str:
    """Why this cannot be the sender; empty if it can: an address, or a name and an address in angle brackets."""
    if CONTROLS.search(sender):
        return "it has control characters."
    _, address = parseaddr(sender)
    if not address or address_problem(address):
        return "it has no e-mail address."
    with suppress(ValueError):
        sanitize_address(sender, "utf-8")
        return ""
    return "it cannot be read."


def one_line(text: str) -> str:
    """A text for a header: without line ends and other control characters, which could begin a header of their own."""
    return CONTROLS.sub(" ", text).strip()


def compose(letter: Letter, sender: str) -> EmailMultiAlternatives:
    """The message. Raises `MailRefused` where the address is none. The same letter always has the same Message-ID."""
    if problem := address_problem(letter.to):
        raise MailRefused(problem)
    domain = parseaddr(sender)[1].rpartition("@")[2].encode("idna").decode()
    headers = {
        "Message-ID": f"<{letter.key}@{domain}>",
        "Date": format_datetime(letter.at),
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        **(write_unsubscribe(letter.link) if letter.one_click else {}),
    }
    subject, text = one_line(letter.subject), letter.text.replace(letter.mark, letter.link)
    message = EmailMultiAlternatives(subject, text, sender, [letter.to], headers=headers)
    message.attach_alternative(render_html(letter, subject), "text/html")
    if letter.file_name:
        message.attach(letter.file_name, letter.file.encode(), "text/csv")
    return message


def write_unsubscribe(link: str) -> dict[str, str]:
    """The headers by which a mail program shows a button that stops such mails (RFC 2369). By https it may press the
    button itself, with a POST, once its reader asks for it (RFC 8058)."""
    by_itself = {"List-Unsubscribe-Post": "List-Unsubscribe=One-Click"} if link.startswith("https://") else {}
    return {"List-Unsubscribe": f"<{link}>", **by_itself}


def render_html(letter: Letter, subject: str) -> str:
    """The text as a page: a paragraph where a line is empty, our link where its mark stands, everything escaped."""
    blocks = re.split(r"\n\s*\n", letter.text.strip().replace("\r\n", "\n"))
    paragraphs = [[line.split(letter.mark) for line in block.split("\n")] for block in blocks]
    return render_to_string("emails/message.html", {"subject": subject, "paragraphs": paragraphs, "link": letter.link})


class Postman:
    """One connection to the mail server, opened at the first mail and again after it was lost."""

    def __init__(self) -> None:
        self._server = get_connection()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._hang_up()

    def deliver(self, message: EmailMultiAlternatives) -> None:
        """Returns when the server has taken the mail. Raises `MailRefused`, `MailDeferred` or `ServerUnusable`.

        Where the connection dies after the text was sent, nobody knows whether it was taken. It is deferred then: the
        next attempt has the same Message-ID, by which a mailbox knows it again.
        """
        try:
            self._server.open()
        except (OSError, smtplib.SMTPException) as error:
            self._hang_up()
            raise ServerUnusable(in_words(error)) from error
        try:
            with self._within(SECONDS):
                self._server.send_messages([message])
        except smtplib.SMTPRecipientsRefused as error:
            code, answer = next(iter(error.recipients.values()))
            raise _by_code(code)(_answer(code, answer)) from error
        except smtplib.SMTPDataError as error:
            raise _by_code(error.smtp_code)(_answer(error.smtp_code, error.smtp_error)) from error
        except (smtplib.SMTPException, OSError) as error:
            self._hang_up()
            raise MailDeferred(in_words(error)) from error
        except (ValueError, UnicodeError) as error:  # BadHeaderError is one
            raise MailRefused(f"It cannot be written as a mail: {in_words(error)}") from error

    @contextmanager
    def _within(self, seconds: float) -> Iterator[None]:
        """Cut the line after so long: the timeout of a socket begins anew with every byte that drips in."""
        line = getattr(getattr(self._server, "connection", None), "sock", None)
        alarm = threading.Timer(seconds, _cut, [line])
        alarm.daemon = True
        alarm.start()
        try:
            yield
        finally:
            alarm.cancel()

    def _hang_up(self) -> None:
        with suppress(OSError, smtplib.SMTPException):
            self._server.close()


def _cut(line: object) -> None:
    with suppress(OSError, AttributeError):
        line.shutdown(2)  # type: ignore[attr-defined]


def _by_code(code: int) -> type[Exception]:
    """4xx: later. 5xx: never. RFC 5321, 4.2.1."""
    return MailDeferred if 400 <= code < 500 else MailRefused


def _answer(code: int, answer: bytes | str) -> str:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return f"{code} {one_line(text)}"[:LONGEST_ERROR]


def in_words(error: BaseException) -> str:
    """What went wrong, in a line without secrets."""
    code = getattr(error, "smtp_code", None)
    if isinstance(code, int) and code > 0:
        return redact(_answer(code, getattr(error, "smtp_error", "")))
    text = one_line(str(error)) or type(error).__name__
    return redact(f"{type(error).__name__}: {text}" if text != type(error).__name__ else text)[:LONGEST_ERROR]
