"""Hide what looks like a token or a secret in a vendor's text, before it is stored or shown.

The log filter of `samsaas.lib.redaction` does the same for log lines; vendor code is plain Python and cannot use it.
`failures.hide_secrets` hides the secrets that we know; this hides those that we do not.
"""

from __future__ import annotations

import re

HIDDEN = "[hidden]"
NAMES = "access_token|refresh_token|id_token|client_secret|code_verifier|authorization|password|secret"
PATTERNS = (
    (re.compile(r"(?i)\b(bearer|basic)(\s+|%20|\+)[\w.~+/=%-]{8,}"), rf"\1 {HIDDEN}"),
    (re.compile(r"\bsl\.[\w.~+/=-]{6,}"), HIDDEN),
    (
        re.compile(
            rf"(?i)((?:{NAMES})(?:\\|\"|'|&quot;|&#39;|&#x27;)*\s*(?:=|:|%3d)\s*)(?:\\*\"[^\"]*|\\*'[^']*|(?!\[hidden\])[^\s\"'&,;}}<]+)"
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"(?i)\b(code[\\\"']*\s*[=:]\s*[\\\"']*)[\w.~+/=-]{16,}"), rf"\1{HIDDEN}"),
    (re.compile(r"(://[^\s:/@]*:)[^\s@/]+(?=@)"), rf"\1{HIDDEN}"),
    # Anything as long as a token that mixes letters and digits, whatever stands before it.
    (re.compile(r"(?<![\w+/=-])(?=[\w+/=-]*\d)(?=[\w+/=-]*[A-Za-z])[\w+/=-]{40,}"), HIDDEN),
)


def redact(text: str) -> str:
    """The text without bearer values, Dropbox tokens, secret parameters, passwords and long random words."""
    for pattern, replacement in PATTERNS:
        text = pattern.sub(replacement, text)
    return text
