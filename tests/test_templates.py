"""Templates a human can read and diff."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.one_database

TEMPLATES = Path(__file__).parent.parent / "templates"
WIDEST = 160


def test_no_line_of_a_template_is_wider_than_a_screen() -> None:
    wide = {
        f"{path.relative_to(TEMPLATES)}:{number}": len(line)
        for path in TEMPLATES.rglob("*.html")
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if len(line) > WIDEST
    }
    assert wide == {}, "break between attributes or before `>`; a longer prose goes into a block tag or a function"


def test_pages_call_a_seat_a_subscription_and_a_used_license_one_in_use() -> None:
    """One word for one thing: what stands between the tags, and in the attributes that are read out."""
    code = re.compile(r"{%\s*comment.*?endcomment\s*%}|{%.*?%}|{{.*?}}|{#.*?#}", re.DOTALL)
    read_out = re.compile(r'(?:aria-label|data-label|data-confirm|title|placeholder)="([^"]*)"')
    found = {}
    for path in TEMPLATES.rglob("*.html"):
        text = code.sub(" ", path.read_text())
        shown = " ".join([re.sub(r"<[^>]*>", " ", text), *read_out.findall(text)])
        if words := re.findall(r"\bseats?\b|\blicenses? used\b", shown, re.IGNORECASE):
            found[str(path.relative_to(TEMPLATES))] = words
    assert found == {}


# Links of mails that work without a session: there is nothing that another site could act with.
WITHOUT_SESSION = {
    "reclamation/asking/keep.html",
    "samsaas/notifications/notification_stop.html",
    "samsaas/reports/report_stop.html",
}


def test_every_form_that_changes_something_has_a_token() -> None:
    """The client of the tests does not ask for it, so only a browser would notice."""
    without = set()
    for template in TEMPLATES.rglob("*.html"):
        forms = re.findall(r"<form\b[^>]*method=\"post\".*?</form>", template.read_text(), re.DOTALL)
        if any("csrf_token" not in form for form in forms):
            without.add(template.relative_to(TEMPLATES).as_posix())
    assert without == WITHOUT_SESSION
