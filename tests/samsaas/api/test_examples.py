"""The examples of docs/api.md work as they stand there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client

from reclamation.models import RemovalBatch
from tests import factories
from tests.samsaas.api import world

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
PAGE = Path(__file__).parents[3] / "docs" / "api.md"


def examples() -> list[str]:
    return re.findall(r"```sh\n(curl .*?)```", PAGE.read_text(), flags=re.DOTALL)


def run_curl(command: str, known: dict[str, str]) -> Any:
    """What curl would send, sent by a client of the test."""
    words = shlex.split(Template(command.replace("\\\n", " ")).substitute(known))[1:]
    method, headers, body, url = "GET", {}, None, ""
    while words:
        word = words.pop(0)
        if word == "-X":
            method = words.pop(0)
        elif word == "-H":
            name, _, text = words.pop(0).partition(": ")
            headers[name] = text
        elif word == "-d":
            body = words.pop(0)
        else:
            url = word
    parts = urlsplit(url)
    given = {"content_type": headers.pop("Content-Type")} if body is not None else {}
    return Client().generic(method, f"{parts.path}?{parts.query}".rstrip("?"), body or "", headers=headers, **given)


def test_every_example_of_the_documentation_is_answered_as_it_promises(caller: Any) -> None:
    script, profile = caller(), factories.profile(team_id="t", licenses_reported=100)
    scopes = [scope for process in profile.vendor_info.processes for scope in process.scopes]
    factories.credential(alias=profile.alias, state="connected", granted_scopes=scopes)
    seat, other = (factories.subscription(profile=profile) for _ in range(2))
    candidate = factories.candidate(other)
    known = {"TOKEN": script.text, "SAMSAAS": "https://samsaas.example", "PROFILE": str(profile.pk)}
    known |= {"SUBSCRIPTION": str(seat.pk), "CANDIDATE": str(candidate.pk)}
    found = examples()
    assert len(found) >= 6
    codes = [(run_curl(command, known).status_code, command) for command in found]
    assert [one for one in codes if one[0] not in (200, 201)] == []
    assert RemovalBatch.objects.get().state == "quarantined"


def test_the_documentation_names_every_list_and_every_order() -> None:
    text = PAGE.read_text()
    for path, methods in world.document()["paths"].items():
        short = path.removeprefix("/api/v1/")
        assert f"`{short}`" in text or any(method != "get" for method in methods) or "{id}" in path, path
        if "post" in methods and "{id}" in path:
            assert f"{short}`" in text or f"`{short.rpartition('/')[2]}`" in text, path
