"""Words that are out: British spellings, and phrases of early pages that a stranger has to read twice.

The product has one spelling, American, and one word for one thing. `docs/glossary.md` has the words to use instead.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.one_database

ROOT = Path(__file__).parent.parent
MADE = ("__pycache__", "node_modules", "staticfiles", "var")  # folders that tools and the product make
UNTRACKED = ("celerybeat-schedule", "uv.lock", ".DS_Store")
ITSELF = "tests/test_words.py"

# Stems, found anywhere in a word or an identifier, with what is written instead.
BRITISH = {
    r"licence": "license",
    r"(?:author|categor|capital|central|character|custom|equal|final|general|harmon|initial|ital|local|material|memor|"
    r"minim|maxim|neutral|normal|organ|parameter|personal|priorit|public|random|recogn|sanit|serial|special|stabil|"
    r"standard|summar|symbol|synchron|token|util|visual|anonym|apolog|penal)is(?:e|ing|ation|able)": "-iz-",
    r"(?:emphas|optim|real)is(?:e[drs]?|ing|ation)(?![a-z])": "-iz-",
    r"analys(?:e|ed|er|ing)(?![a-z])": "analyze",
    r"(?:cancel|label|level|model|signal|total|travel|tunnel)l(?:ed|ing|er)": "one l",
    r"(?:behavi|col|fav|flav|hon|hum|lab|neighb|rum|endeav|rig|vap)our": "-or",
    r"(?<!epi)centre|centring": "center",
    r"(?<![a-z])(?:calibre|fibre|litre|metre|theatre)": "-er",
    r"catalogue|analogue": "catalog, analog",
    r"(?<![a-z])programmes?(?![a-z])": "program",
    r"(?:def|off|pret)ence(?![a-z])": "-ense",
    r"practis(?:e|ed|ing)(?![a-z])": "practice",
    r"(?<![a-z])grey": "gray",
    r"(?<![a-z])(?:whil|among)st(?![a-z])": "while, among",
    r"(?<![a-z])(?:learnt|spelt|burnt|dreamt)(?![a-z])": "-ed",
    r"(?<![a-z])(?:fulfil|enrol|instal|skilful|wilful)(?!l)": "fulfill, enroll, install, skillful, willful",
    r"(?:judg|acknowledg)ement": "judgment, acknowledgment",
    r"artefact": "artifact",
    r"sceptic": "skeptic",
    r"(?<![a-z])ageing": "aging",
    r"focuss(?:ed|ing)": "focused",
}
# Phrases, in any case of letters.
PHRASES = {
    "says the vendor": "per vendor",
    "(?:licences|licenses|seats) bought": "licenses purchased",
    "left out by a rule": "excluded",
    "chosen by itself": "automatic",
    "letter by letter": "exactly",
    "not with every process": "not yet validated",
    "still here": "active",
    "thr(?:ow|owing|own|ows|ew) (?:it |this |the file )?away": "discard",
    "take it back": "undo",
    "no bound": "unlimited",
    "rows a page": "rows per page",
    "signs? of life": "background activity, heartbeat",
    "renewed by itself": "auto-renewed",
    "it is a parent itself": "–",
    "licen[cs]e is used": "in use",
    "no (?:public )?source confirms": "say what holds, or nothing",
}
# Labels: the same words inside a sentence may be fine.
LABELS = {
    "DropBox": "Dropbox",
    "Own time": "Custom time",
    "In force": "Effective",
    "Set aside": "Skipped",
    "What goes": "Will be deleted",
    "What stays": "Will be kept",
    "Taken back": "Undone",
}
# Where a word that is out may stand: the beginning of a path, the text around it, and why.
ALLOWED = (
    ("", "aria-labelledby", "an attribute of HTML"),
    ("subscriptions/people/imports/columns.py", "cost centre", "a heading that files have always been allowed to use"),
    ("subscriptions/people/imports/columns.py", "organisational unit", "a heading that other programs write"),
    ("subscriptions/people/imports/columns.py", "Organisationseinheit", "a German heading"),
    ("subscriptions/people/imports/columns.py", "unité organisationnelle", "a French heading"),
    ("subscriptions/people/imports/columns.py", "centre de coût", "a French heading"),
    ("docs/people.md", "cost centre", "the same heading"),
    ("subscriptions/entitlements/columns.py", "cost centre", "a heading that other programs write"),
    ("subscriptions/entitlements/columns.py", "centre de coût", "a French heading"),
    ("tests/subscriptions/entitlements/test_import_entitlements.py", "Centre de coûts", "a French heading"),
    ("subscriptions/entitlements/columns.py", "licences", "a heading that other programs write"),
    ("tests/subscriptions/people/imports/", "cost centre", "the same heading"),
    ("tests/subscriptions/people/imports/test_hr_files.py", "Centre de coûts", "a French heading"),
    ("tests/subscriptions/people/imports/test_hr_files.py", "Cost-Centre", "the same heading"),
    ("", "DropBox Subscription", "the label of the profile's type in the original's Core UI"),
    ("tests/profiles/test_profile_pages.py", '"DropBox" not in', "the Workspace does not show that label"),
    ("tests/samsaas/test_core_ui.py", '"DropBox" not in', "the same"),
    ("tests/test_upgrade.py", "", "it upgrades from the old names of columns"),
)
SKIPPED_FILES = re.compile(
    r"\.(?:lock|png|svg|ico|woff2?|dump|xlsx)$|^samsaas/static/vendor/|^tests/connectors/dropbox_schemas/|"
    r"/migrations/00(?:0\d|10)_|^LICENSE$"
)


def as_pattern(phrases: dict[str, str]) -> str:
    """The phrases as one expression, in which a blank may be the end of a line."""
    return "|".join(phrase.replace(" ", r"\s+") for phrase in phrases)


# A label ends where its element, its string or its table cell ends.
OUT = re.compile(
    rf"(?i:{'|'.join(BRITISH)})"
    rf"|(?i:(?<![a-z])(?:{as_pattern(PHRASES)})(?![a-z]))"
    rf"|(?<![A-Za-z])(?:{as_pattern(LABELS)})(?=\s*[\"'“”<*|)])"
)


def better(found: str) -> str:
    """What to write instead."""
    words = " ".join(found.split())
    for pattern, instead in {**BRITISH, **PHRASES, **LABELS}.items():
        if re.fullmatch(pattern, words, flags=re.IGNORECASE):
            return instead
    return "the glossary's word"


def words_that_are_out(path: str, text: str) -> Iterator[str]:
    """`path:line: word, better: word` for every word of a text that is out."""
    for found in OUT.finditer(text):
        around = " ".join(text[max(found.start() - 40, 0) : found.end() + 40].split())
        if any(path.startswith(start) and allowed in around for start, allowed, _ in ALLOWED):
            continue
        line = text.count("\n", 0, found.start()) + 1
        yield f"{path}:{line}: {' '.join(found[0].split())!r}, better: {better(found[0])}"


def written_files() -> list[str]:
    """The paths of all files that people write. Neither git nor its folder has to be there."""
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in MADE and not name.endswith(".egg-info")]
        folders[:] = [name for name in folders if name[0] != "." or name == ".ci"]
        found += [
            Path(folder, name).relative_to(ROOT).as_posix()
            for name in names
            if name != ".env" and not name.startswith(UNTRACKED)
        ]
    return sorted(path for path in found if path != ITSELF and not SKIPPED_FILES.search(path))


def test_no_file_has_a_word_that_is_out() -> None:
    found = []
    for path in written_files():
        found += words_that_are_out(path, (ROOT / path).read_text())
    assert found == [], "\n" + "\n".join(found)


@pytest.mark.parametrize(
    "text",
    [
        "unauthorised",
        "def normalise_address",
        "BEHAVIOUR",
        "the run was cancelled",
        "a labelled line",
        "Rows a\n  page",
        "Thrown away",
        "throw it away",
        "<h2>What goes</h2>",
        'label="Set aside"',
    ],
)
def test_a_word_that_is_out_is_found_however_it_is_written(text: str) -> None:
    assert list(words_that_are_out("templates/any.html", f"one\n{text}\n"))


@pytest.mark.parametrize(
    "text",
    [
        "an analysis",
        "optimistic",
        "emphasis",
        "aria-labelledby",
        "programmer",
        "promise",
        "set_aside",
        "installs",
        "fulfills",
    ],
)
def test_a_word_that_only_looks_like_one_is_let_through(text: str) -> None:
    assert list(words_that_are_out("templates/any.html", text)) == []
