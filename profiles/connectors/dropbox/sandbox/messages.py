"""The sandbox's requests and answers, whether they come over HTTP or from a `responses` mock."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qsl

from requests.structures import CaseInsensitiveDict

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"
HTML = "text/html; charset=utf-8"


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """How the answer is sent.

    In seconds: `delay` before it, `drip` after each byte (also of the headers with `drip_headers`).
    """

    delay: float = 0.0
    drip: float = 0.0
    drip_headers: bool = False
    reset: bool = False
    truncate: int | None = None


@dataclass(frozen=True, kw_only=True)
class Request:
    """One HTTP request. `query` and `form()` keep the first value of a name."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: CaseInsensitiveDict[str] = field(default_factory=CaseInsensitiveDict)
    body: bytes = b""

    @property
    def media_type(self) -> str:
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    def form(self) -> dict[str, str]:
        """The fields of a form-encoded body."""
        return dict(reversed(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True)))


@dataclass(frozen=True, kw_only=True)
class Response:
    """One HTTP answer."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    delivery: Delivery = Delivery()

    def json(self) -> Any:
        return json.loads(self.body)


class Answered(Exception):
    """Ends a request from anywhere inside its handling with this answer."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


def as_json(value: Any, status: int = 200, **headers: str) -> Response:
    """A JSON answer. Keyword headers are written with underscores for hyphens."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    body = json.dumps(value, separators=(",", ":")).encode()
    return Response(status=status, headers={"Content-Type": JSON, **named}, body=body)


def as_text(text: str, status: int = 400) -> Response:
    return Response(status=status, headers={"Content-Type": TEXT}, body=text.encode())


def as_page(html: str, status: int = 200) -> Response:
    return Response(status=status, headers={"Content-Type": HTML, "Cache-Control": "no-store"}, body=html.encode())


def redirect(location: str, status: Literal[302, 303] = 302) -> Response:
    return Response(status=status, headers={"Location": location, "Cache-Control": "no-store"})
