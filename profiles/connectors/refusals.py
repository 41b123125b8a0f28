"""What a vendor's refusal means: one line for each kind of answer, read from the top, the first that fits counts.

A line says what the answer ends, when it is tried again, what the admin reads, and what heals it. The lines of every
vendor are here, those of token addresses in `token_refusals`, those of a vendor's API in its folder. The page
docs/refusals.md shows the same lines; a test compares them, and another drives an answer through each of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from profiles.connectors.base import (
    AnswerLost,
    ConnectorError,
    Failure,
    ProtocolError,
    Refused,
    StaleToken,
    Throttled,
    TryLater,
    UnreadableAnswer,
    plain,
)
from profiles.connectors.redaction import redact
from profiles.connectors.transport import Answer

REASON_KEPT = 300
PROXY_SIGN_IN_STATUS = 407
TOO_MANY = 429
EVERY_400 = range(400, 500)


class Ends(StrEnum):
    """What an answer ends."""

    NOTHING = "nothing"
    TOKEN = "the access token"  # noqa: S105 - a word for the page
    GRANT = "the grant"
    LISTING = "the listing"
    RUN = "the run"
    PROCESS = "the process"


class Again(StrEnum):
    """When the call is tried again."""

    SOON = "after a pause, then as after an outage"
    WHEN_TOLD = "when the waiting time is over"
    NEW_TOKEN = "once, with a new token"  # noqa: S105 - a word for the page
    FIRST_PAGE = "from the first page"
    NEXT_RUN = "by the next run"
    CONSENT = "after a new consent"


class Form(StrEnum):
    """How the body of an answer looks."""

    JSON = "JSON"
    PAGE = "web page"
    TEXT = "text"
    EMPTY = "empty"


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What a refusing answer says. `code` is the vendor's own word for the error, `sentence` its words for people.

    `asked` is what was asked for, where the meaning depends on it; `challenge` the answer's WWW-Authenticate header.
    """

    status: int
    form: Form
    code: str = ""
    sentence: str = ""
    asked: str = ""
    challenge: str = ""


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """One kind of answer. An empty condition fits everything; `codes` and `says` are alternatives.

    `answer` is how the page names it. `message` and `remedy` are for the admin; {reason} is the vendor's own sentence
    or code, {status} the status. `heals` says what makes it work again.
    """

    key: str
    answer: str
    raises: type[ConnectorError]
    ends: Ends
    again: Again
    message: str
    remedy: str
    heals: str
    status: tuple[int | range, ...] = ()
    form: tuple[Form, ...] = ()
    codes: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    asked: str = ""
    challenge: str = ""

    def fits(self, reply: Reply) -> bool:
        """Whether this line is about the answer."""
        if self.status and not any(
            reply.status in one if isinstance(one, range) else reply.status == one for one in self.status
        ):
            return False
        if self.form and reply.form not in self.form or self.asked and reply.asked != self.asked:
            return False
        if self.challenge and not re.search(self.challenge, reply.challenge, re.IGNORECASE):
            return False
        named = bool(self.codes) and reply.code in self.codes
        worded = any(re.search(words, reply.sentence, re.IGNORECASE) for words in self.says)
        return named or worded or not (self.codes or self.says)


def refusal(key: str, answer: str, message: str, remedy: str, **more: Any) -> Refusal:
    """A line of an answer that ends the run and nothing else, unless `more` says otherwise."""
    usual = {"raises": Refused, "ends": Ends.RUN, "again": Again.NEXT_RUN, "heals": "an admin, as the remedy says"}
    return Refusal(key=key, answer=answer, message=message, remedy=remedy, **{**usual, **more})


def find_refusal(lines: Iterable[Refusal], reply: Reply) -> Refusal | None:
    """The first line that fits; None where none does."""
    return next((line for line in lines if line.fits(reply)), None)


def error_of(line: Refusal, failure: Failure, *, reason: str = "", **details: Any) -> ConnectorError:
    """The error that a line raises. `reason` is the vendor's own text; it is made safe here."""
    words = {"reason": quotable(reason) or "no reason given", "status": failure.status or "none"}
    return line.raises(line.message.format(**words), failure=failure, remedy=line.remedy, **details)


def may_have_happened(error: ConnectorError) -> bool:
    """Whether a call with an effect may have taken effect although it ended in this error.

    It did not if it was not sent, or if the vendor refused it: with a status of 4xx in the vendor's own words, or with
    a 429. A proxy that asks for a sign-in did not pass it on. Every other status says nothing certain: a web page of a
    proxy may stand in the place of the vendor's answer.
    """
    status = error.failure.status
    if isinstance(error, AnswerLost) or status is None:
        return isinstance(error, AnswerLost)
    if status in (PROXY_SIGN_IN_STATUS, TOO_MANY) or isinstance(error, StaleToken):
        return False
    in_no_words = isinstance(error, TryLater) and not error.failure.tag
    return in_no_words or not 400 <= status < 500


def quotable(text: str) -> str:
    """A vendor's sentence, fit to be quoted: without secrets, on one line, at most 300 characters, no period."""
    return plain(redact(text[: 4 * REASON_KEPT]), REASON_KEPT).strip().rstrip(".")


def form_of(answer: Answer) -> Form:
    """How a body looks by its first characters. The media type is ignored, because proxies change it."""
    start = answer.body[:400].decode("utf-8", "replace").lstrip("\ufeff \t\r\n").lower()
    if not start:
        return Form.EMPTY
    if start.startswith("<") or answer.content_type == "text/html":
        return Form.PAGE
    return Form.JSON if start[0] in "{[" else Form.TEXT


def fit_failure(failure: Failure, code: str) -> Failure:
    """The evidence with the vendor's code, cut to what may be stored."""
    return replace(failure, tag=plain(redact(code), 200))


WAITS = "the vendor, when its trouble is over"
CONFIGURE = "whoever runs this installation, in the deployment settings"
ASK_LATER = "The vendor or the network is in trouble. The next run tries again; check the vendor's status page."
PROXY = "Whoever runs this installation has to put the proxy's user name and password into HTTPS_PROXY."
NO_REDIRECTS = "Check the vendor's addresses in the deployment settings (manage.py doctor), and the proxy between."
NO_WAY = "Something between this machine and the vendor, such as a proxy or a firewall, may answer in its place."

SERVER_TROUBLE = Refusal(
    key="server-trouble",
    answer="5xx, whatever the body says",
    status=(range(500, 600),),
    raises=TryLater,
    ends=Ends.NOTHING,
    again=Again.SOON,
    message="The vendor answered with status {status}.",
    remedy=ASK_LATER,
    heals=WAITS,
)
TOO_EARLY = Refusal(
    key="timeout",
    answer="408 or 425",
    status=(408, 425),
    raises=TryLater,
    ends=Ends.NOTHING,
    again=Again.SOON,
    message="The vendor answered with status {status}: it did not get the request in time.",
    remedy=ASK_LATER,
    heals=WAITS,
)
RATE_LIMIT = Refusal(
    key="rate-limit",
    answer="429, as JSON, text or anything else",
    status=(TOO_MANY,),
    raises=Throttled,
    ends=Ends.NOTHING,
    again=Again.WHEN_TOLD,
    message="The vendor asks us to wait {reason} seconds.",
    remedy=Throttled.remedy,
    heals="time: `Retry-After` in seconds or as a date, else `retry_after` of the body, from 1 second to 1 hour",
)
REDIRECT = Refusal(
    key="redirect",
    answer="3xx",
    status=(range(300, 400),),
    raises=ProtocolError,
    ends=Ends.RUN,
    again=Again.NEXT_RUN,
    message="The vendor's address redirects (status {status}); secrets are not sent after it.",
    remedy=NO_REDIRECTS,
    heals=CONFIGURE,
)
PROXY_SIGN_IN = Refusal(
    key="proxy-sign-in",
    answer="407",
    status=(PROXY_SIGN_IN_STATUS,),
    raises=TryLater,
    ends=Ends.NOTHING,
    again=Again.SOON,
    message="A proxy between this machine and the vendor asks for a sign-in.",
    remedy=PROXY,
    heals=CONFIGURE,
)
UNREADABLE = Refusal(
    key="unreadable",
    answer="2xx with a body that is cut, empty, a web page, or of another form than documented",
    status=(range(200, 300),),
    raises=UnreadableAnswer,
    ends=Ends.NOTHING,
    again=Again.SOON,
    message="The vendor's answer is not readable: {reason}.",
    remedy=UnreadableAnswer.remedy,
    heals="the vendor or the proxy. If every try gives the same unreadable answer, the run fails: its format has "
    "changed",
)
EVERY_VENDOR = (SERVER_TROUBLE, TOO_EARLY, RATE_LIMIT, REDIRECT, PROXY_SIGN_IN)


HEADINGS = ("the answer", "ends", "tried again", "the page says", "what to do", "what heals it")


def as_table(lines: Iterable[Refusal]) -> str:
    """The lines as a table of Markdown, as docs/refusals.md shows them."""
    rows = [HEADINGS, ("---",) * len(HEADINGS)]
    for line in lines:
        message = line.message.format(reason="…", status="…")
        rows.append((line.answer, line.ends, line.again, message, line.remedy, line.heals))
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)
