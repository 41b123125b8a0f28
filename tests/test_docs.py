"""What the documents point at exists: files, headings, make targets, management commands, pictures."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.management import get_commands

pytestmark = pytest.mark.one_database

ROOT = Path(__file__).parent.parent
NAMES = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
DOCUMENTS = [ROOT / name for name in NAMES] + sorted((ROOT / "docs").glob("*.md"))
LARGEST_PICTURE = 200 * 1024  # bytes

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"`[^`\n]+`")
TARGET = re.compile(r"\bmake ([a-z][a-z-]*)")
COMMAND = re.compile(r"\bmanage\.py ([a-z][a-z_]*)")


def name_of(document: Path) -> str:
    return str(document.relative_to(ROOT))


def commands_in(text: str) -> str:
    """Only what stands in code: prose may "make sure"."""
    return "\n".join([*FENCED.findall(text), *CODE.findall(FENCED.sub("", text))])


def anchors(document: Path) -> set[str]:
    """The addresses of a document's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", FENCED.sub("", document.read_text()), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(document: Path) -> list[str]:
    found = LINK.findall(FENCED.sub("", document.read_text()))
    return [link for link in found if not re.match(r"[a-z]+:", link)]


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_relative_link_and_picture_leads_somewhere(document: Path) -> None:
    broken = []
    for link in links(document):
        path, _, anchor = link.partition("#")
        there = (document.parent / path).resolve() if path else document
        if not there.exists() or (anchor and anchor not in anchors(there)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_make_target_that_is_told_exists(document: Path) -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    told = set(TARGET.findall(commands_in(document.read_text())))
    assert told <= targets


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_management_command_that_is_told_exists(document: Path) -> None:
    told = set(COMMAND.findall(document.read_text()))
    assert told <= get_commands().keys()


def test_every_page_of_the_documentation_can_be_reached_from_the_readme() -> None:
    seen, waiting = set(), [ROOT / "README.md"]
    while waiting:
        document = waiting.pop()
        if document in seen or document.suffix != ".md" or not document.exists():
            continue
        seen.add(document)
        waiting += [(document.parent / link.partition("#")[0]).resolve() for link in links(document)]
    assert set(DOCUMENTS) <= seen


def test_every_picture_is_shown_and_small() -> None:
    shown = {(document.parent / link).resolve() for document in DOCUMENTS for link in links(document)}
    pictures = set((ROOT / "docs" / "images").iterdir())
    assert pictures <= shown
    assert [picture.name for picture in pictures if picture.stat().st_size > LARGEST_PICTURE] == []


def test_readme_tells_the_plain_commands_behind_demo_and_test() -> None:
    readme = (ROOT / "README.md").read_text()
    makefile = (ROOT / "Makefile").read_text()
    for target in ("demo", "test"):
        recipe = re.search(rf"^{target}:.*\n\t(.+)$", makefile, flags=re.MULTILINE)
        assert recipe
        command = recipe[1].replace("$(BIN)", ".venv/bin").replace("$(ARGS)", "").strip()
        assert command in readme, target
