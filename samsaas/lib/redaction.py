"""The last net below careful code: log lines lose anything that looks like a token or a secret."""

import logging
import re

PATTERNS = (
    (re.compile(r"(?i)(bearer|basic)\s+[\w.~+/=-]{8,}"), r"\1 [redacted]"),
    (re.compile(r"\bsl\.(?:u\.)?[\w-]{6,}"), "[redacted]"),
    (
        re.compile(
            r"(?i)((?:access_token|refresh_token|client_secret|code_verifier|password|secret|code|state)[\\\"']*\s*[=:]\s*)"
            r"(?:\\*\"[^\"]*|\\*'[^']*|[^\s\"'&,}]+)"
        ),
        r"\1[redacted]",
    ),
    (re.compile(r"(://[^\s:/@]*:)[^\s@/]+(?=@)"), r"\1[redacted]"),
)


def redact(text: str) -> str:
    """The text with bearer values, Dropbox tokens, secret parameters and passwords in addresses replaced."""
    for pattern, replacement in PATTERNS:
        text = pattern.sub(replacement, text)
    return text


class RedactSecrets(logging.Filter):
    """Rewrites a record's final message; arguments are folded in so that nothing slips past the pattern."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redact(_message(record)), None
        if record.exc_info:
            record.exc_text = redact(record.exc_text or logging.Formatter().formatException(record.exc_info))
        if record.stack_info:
            record.stack_info = redact(record.stack_info)
        return True


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # a careless call; a filter's error would reach the code that wanted to log
        return f"{record.msg} (with arguments that do not fit)"
