"""The last net below careful code: log lines lose anything that looks like a token or a secret."""

import logging
import re

PATTERNS = (
    re.compile(r"(?i)(bearer|basic)\s+[\w.~+/=-]{8,}"),
    re.compile(r"\bsl\.(?:u\.)?[\w-]{6,}"),
    re.compile(
        r"(?i)((?:access_token|refresh_token|client_secret|code_verifier|password|secret|code|state)[\"']?\s*[=:]\s*[\"']?)"
        r"[^\s\"'&,}]+"
    ),
)


def redact(text: str) -> str:
    """The text with bearer values, Dropbox tokens and secret parameters replaced."""
    text = PATTERNS[0].sub(r"\1 [redacted]", text)
    text = PATTERNS[1].sub("[redacted]", text)
    return PATTERNS[2].sub(r"\1[redacted]", text)


class RedactSecrets(logging.Filter):
    """Rewrites a record's final message; arguments are folded in so that nothing slips past the pattern."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redact(record.getMessage()), None
        if record.exc_info and not record.exc_text:
            record.exc_text = redact(logging.Formatter().formatException(record.exc_info))
        return True
