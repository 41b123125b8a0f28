"""Help: every page leads to the document that explains it, shown in the product, and links stay inside."""

from __future__ import annotations

import re
from typing import Any

import pytest

from samsaas import handbook
from samsaas.policy import POLICY
from tests import pages
from tests.test_docs import anchors

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
# They answer without a page of the product around them.
WITHOUT_PAGE = {"healthz", "readyz"}


def test_every_page_has_a_document_that_explains_it() -> None:
    shown = {name for name, methods in POLICY.items() if "GET" in methods} - WITHOUT_PAGE
    assert {name for name in shown if not handbook.page_for(name)} == set()
    for told in set(handbook.PAGES.values()):
        document, _, heading = told.partition("#")
        assert document in handbook.titles() and (not heading or heading in anchors(handbook.DOCS / f"{document}.md"))
    unused = {begin for begin in handbook.PAGES if not any(name.startswith(begin) for name in POLICY)} - {"admin:"}
    assert unused == set(), "a row that fits no page"


def test_help_on_a_page_opens_its_document_and_core_ui_has_it_too(signed_in: Any) -> None:
    reader = signed_in("sam_user")
    for page, document in (("/people/", "people"), ("/runs/", "schedule"), ("/core/", "core-ui")):
        assert f'href="/help/{document}/"' in reader.get(page).content.decode(), page
    told = pages.text_of(reader.get("/help/people/").content.decode())
    assert "People: whose subscriptions are they?" in told
    assert "Glossary" in reader.get("/help/").content.decode()


def test_every_document_is_shown_whole_and_its_links_lead_to_what_is_there() -> None:
    for document in handbook.titles():
        page = handbook.render(document)
        tables = re.findall(r"^ *\|(?:[ :]*-+[ :]*\|)+$", source_of(document), flags=re.MULTILINE)
        assert page.count("<table") == len(tables), document
        for target in re.findall(r'(?:href|src)="([^"]*)"', page):
            assert target.startswith(("https://", "http://")) or leads_somewhere(target, document), (document, target)


def leads_somewhere(target: str, document: str) -> bool:
    address, _, heading = target.partition("#")
    if address.startswith("/help/images/"):
        return address.removeprefix("/help/images/") in handbook.pictures()
    there = address.removeprefix("/help/").removesuffix("/") or document
    return there in handbook.titles() and (not heading or f'id="{heading}"' in handbook.render(there))


def source_of(document: str) -> str:
    return (handbook.DOCS / f"{document}.md").read_text()


def test_nothing_but_documents_and_their_pictures_is_served(signed_in: Any) -> None:
    reader = signed_in("sam_user")
    for path in ("/help/screenshots/", "/help/images/..%2fscreenshots.py", "/help/images/x.png", "/help/nonsense/"):
        assert reader.get(path).status_code == 404, path
    assert reader.get("/help/images/home.png")["Content-Type"] == "image/png"


def test_what_a_document_holds_cannot_run(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "# T\n\n<script>alert(1)</script>\n\n[a](javascript:alert(1)) ![b](https://elsewhere.example/x.png)\n"
    (tmp_path / "bad.md").write_text(text)
    monkeypatch.setattr(handbook, "DOCS", tmp_path)
    shown = handbook.render.__wrapped__("bad")
    assert "<script" not in shown and "javascript:" not in re.sub(r">[^<]*<", "><", shown)
