"""Templates a human can read and diff."""

from __future__ import annotations

from pathlib import Path

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
