"""The part of a vendor's answer that may be stored and shown: no secrets, no control characters, not too long."""

from __future__ import annotations

import json
from dataclasses import replace
from html import escape
from urllib.parse import quote, quote_plus, urlsplit

from requests.structures import CaseInsensitiveDict

from profiles.connectors.base import Failure, plain
from profiles.connectors.redaction import HIDDEN, redact
from profiles.connectors.transport import Answer

BODY_KEPT = 2000
REQUEST_ID_KEPT = 120
SHORTEST_SECRET = 8


def hide_secrets(answer: Answer, *secrets: str) -> Answer:
    """The answer without these secrets, in every spelling: vendors echo what was sent, in a field, a page or a header.

    Texts shorter than eight characters are not replaced.
    """
    body, headers = answer.body, dict(answer.headers)
    spellings = {spelling for text in secrets if len(text) >= SHORTEST_SECRET for spelling in _spellings_of(text)}
    for spelling in sorted(spellings, key=len, reverse=True):
        body = body.replace(spelling.encode(), HIDDEN.encode())
        headers = {name: value.replace(spelling, HIDDEN) for name, value in headers.items()}
    return replace(answer, body=body, headers=CaseInsensitiveDict(headers))


def _spellings_of(text: str) -> set[str]:
    """The text as it is, and as it looks in a form body, in a URL, in HTML and in JSON."""
    return {text, quote_plus(text), quote(text), quote(text, safe=""), escape(text), json.dumps(text)[1:-1]}


def failure_of(answer: Answer, url: str, request_id_header: str = "") -> Failure:
    """The evidence of an answer, its body cut to 2,000 characters. Call `hide_secrets` on the answer first."""
    body = answer.body[: 4 * BODY_KEPT].decode("utf-8", "replace").replace("\0", "")
    return replace(failure_without_body(answer, url, request_id_header), body=redact(body)[:BODY_KEPT])


def failure_without_body(answer: Answer, url: str, request_id_header: str = "") -> Failure:
    """The evidence of an answer whose body may be a secret as a whole, as that of a token address."""
    named = answer.headers.get(request_id_header, "") if request_id_header else ""
    return Failure(
        endpoint=urlsplit(url).path,
        status=answer.status,
        request_id=plain(redact(named), REQUEST_ID_KEPT),
    )
