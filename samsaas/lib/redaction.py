"""Removes text that looks like a token or a secret from log lines, in case other code lets one through."""

import logging
import re

PATTERNS = (
    (re.compile(r"(?i)(bearer|basic)\s+[\w.~+/=-]{8,}"), r"\1 [redacted]"),
    (re.compile(r"\bsl\.(?:u\.)?[\w-]{6,}"), "[redacted]"),
    (re.compile(r"\bsam_[\w-]{20,}"), "[redacted]"),
    (
        re.compile(
            r"(?i)((?:access_token|refresh_token|client_secret|code_verifier|password|secret|code|state)[\\\"']*\s*[=:]\s*)"
            r"(?:\\*\"[^\"]*|\\*'[^']*|[^\s\"'&,}]+)"
        ),
        r"\1[redacted]",
    ),
    (re.compile(r"(/(?:keep|approvals/link|(?:notifications|reports)/stop)/)[\w:-]+"), r"\1[redacted]"),
    (re.compile(r"(://[^\s:/@]*:)[^\s@/]+(?=@)"), r"\1[redacted]"),
)


def redact(text: str) -> str:
    """The text without bearer values, tokens of Dropbox and of our API, secret parameters, passwords in addresses."""
    for pattern, replacement in PATTERNS:
        text = pattern.sub(replacement, text)
    return text


class RedactSecrets(logging.Filter):
    """Redacts log records. It formats the message first, because a pattern may span the message and its arguments."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redact(_final_message(record)), None
        if record.exc_info:
            record.exc_text = redact(record.exc_text or logging.Formatter().formatException(record.exc_info))
        if record.stack_info:
            record.stack_info = redact(record.stack_info)
        return True


def _final_message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # wrong arguments; an error here would reach the code that logs
        return f"{record.msg} (with arguments that do not fit)"
