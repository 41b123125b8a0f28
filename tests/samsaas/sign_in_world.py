"""Ann at the sign-in page: her password, right and wrong."""

from __future__ import annotations

from typing import Any

from django.test import Client

LOGIN, PASSWORD = "/accounts/login/", "a long password"


def try_to(client: Client, username: str = "ann", password: str = PASSWORD, **more: Any) -> Any:
    """Send the sign-in form; `more` goes to the request, `next` to the form."""
    form = {"username": username, "password": password, "next": more.pop("next", "")}
    return client.post(LOGIN, form, **more)


def guess(client: Client, times: int, username: str = "ann", **more: Any) -> list[int]:
    return [try_to(client, username, f"wrong {number}", **more).status_code for number in range(times)]


def is_signed_in(client: Client) -> bool:
    return client.get("/").status_code == 200
