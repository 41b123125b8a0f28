"""How a log record is written: one line that nobody else can forge, with its time, and who asked for what from where.

User names, paths and vendors' texts reach the log. A line end in one of them would begin a line of its own, an escape
sequence would be carried out by the terminal of whoever reads it, and a mark of writing direction would turn it around.
"""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import PermissionDenied, SuspiciousOperation

from samsaas.lib.client_address import client_address
from samsaas.lib.log_context import REQUEST, RUN
from samsaas.lib.redaction import redact

# C0 and C1, line and paragraph separators, marks of writing direction, invisible letters, lone surrogates, tags.
CONTROLS = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)
CONTINUED = "    | "  # begins each further line of a record, such as those of a traceback


def escape_controls(text: str) -> str:
    """The text with every control character written as an escape sequence, such as `\\n` or `\\u202e`."""
    return CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def describe_request(request: Any) -> str:
    """Method and path of a request, whose it is, and from where. It never queries: the database may be the problem."""
    account = getattr(request, "_cached_user", None)
    name = account.get_username() if account is not None else ""
    path, whence = redact(request.path), client_address(request) or "nowhere"
    return f"{request.method} {path} by {name or 'a visitor'} from {whence}"


def request_of(record: logging.LogRecord) -> str:
    """The request that the record is about, in words; empty if there is none."""
    request = getattr(record, "request", None)
    return describe_request(request) if hasattr(request, "path") else ""


def write_moment(record: logging.LogRecord) -> str:
    """When it was logged, in UTC, to the millisecond."""
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


class LineFormatter(logging.Formatter):
    """Time in UTC with its zone, level, logger, message. A traceback follows in lines that begin with a bar."""

    def __init__(self, fmt: str = "{asctime} {levelname} {name} {message}", style: Any = "{", **kwargs: Any) -> None:
        super().__init__(fmt, style=style, **kwargs)

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 - its name
        return write_moment(record)

    def format(self, record: logging.LogRecord) -> str:
        record.message, record.asctime = record.getMessage(), self.formatTime(record)
        if request := request_of(record):
            record.message += f" [{request}]"
        further = [CONTINUED + escape_controls(line) for block in self.blocks(record) for line in block.split("\n")]
        return "\n".join([escape_controls(self.formatMessage(record)), *further])

    def blocks(self, record: logging.LogRecord) -> list[str]:
        """The traceback and the stack, where there are any."""
        stack = self.formatStack(record.stack_info) if record.stack_info else ""
        return [block for block in (self._exception_text(record), stack) if block]

    def _exception_text(self, record: logging.LogRecord) -> str:
        """The traceback, but none for a request that was refused: its line says it all, and anybody can send it."""
        if record.exc_info and isinstance(record.exc_info[1], PermissionDenied | SuspiciousOperation):
            return ""
        return record.exc_text or (self.formatException(record.exc_info) if record.exc_info else "")


class JsonFormatter(LineFormatter):
    """One object of JSON a record, in one line of ASCII: `at`, `level`, `logger`, `message`, and what else is known.

    `request_id` and `run` say what it belongs to, `request` who asked for what, `traceback` where it went wrong.
    """

    def format(self, record: logging.LogRecord) -> str:
        values: dict[str, Any] = {
            "at": write_moment(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": REQUEST.get(),
            "run": RUN.get(),
            "request": request_of(record),
            "traceback": "\n".join(self.blocks(record)),
        }
        return json.dumps({name: value for name, value in values.items() if value not in ("", None)})


FORMATS = {"line": LineFormatter, "json": JsonFormatter}


def to_console(level: str, form: str) -> dict[str, Any]:
    """Django's `LOGGING`: everything to the console without secrets, each record as a `line` or as `json`."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"redact": {"()": "samsaas.lib.redaction.RedactSecrets"}},
        "formatters": {
            "line": {"()": "samsaas.lib.log_lines.LineFormatter"},
            "json": {"()": "samsaas.lib.log_lines.JsonFormatter"},
        },
        "handlers": {"console": {"class": "logging.StreamHandler", "filters": ["redact"], "formatter": form}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            # These three write tokens, secrets and whole bodies at DEBUG.
            "requests_oauthlib": {"level": "INFO"},
            "oauthlib": {"level": "INFO"},
            "urllib3": {"level": "INFO"},
            "axes": {"level": "WARNING"},
            "django": {"handlers": [], "level": "INFO", "propagate": True},
            "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
        },
    }
