"""An authenticator app for tests: codes of a secret at this moment."""

from __future__ import annotations

import time
from typing import Any

from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.test import Client

from tests.samsaas.sign_in_world import try_to

CODE_PAGE = "/accounts/second-factor/code/"


class App:
    """What somebody has on the telephone, with the codes on paper beside it."""

    def __init__(self, account: Any) -> None:
        self.secret = generate_totp_secret()
        TOTP.activate(account, self.secret)
        self.papers = RecoveryCodes.activate(account).get_unused_codes()

    def code(self, *, periods_ahead: int = 0) -> str:
        return code_of(self.secret, periods_ahead=periods_ahead)


def code_of(secret: str, *, periods_ahead: int = 0) -> str:
    """What an app with this key shows now, or some half minutes later."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + periods_ahead))


def sign_in(client: Client, username: str, code: str) -> Any:
    """Password, then code."""
    try_to(client, username)
    return client.post(CODE_PAGE, {"code": code})
