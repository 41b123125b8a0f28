"""What the accessibility rules and a measure of the width find on pages, in one look after the other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

Look = tuple[str, int]  # a color scheme and a width
RULES = "options => axe.run(options).then(found => found.violations)"
OF_COLORS = ["color-contrast", "link-in-text-block"]
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# The page takes the other scheme with its next frame, and then its colors fade into it. A rule that asks before they
# have done so sees what nobody reads.
FADED = """async () => {
    const frame = () => new Promise(requestAnimationFrame);
    await frame();
    await frame();
    const fading = document.getAnimations().filter(change => change instanceof CSSTransition);
    await Promise.allSettled(fading.map(change => change.finished));
}"""


def faults(
    page: Page, addresses: Iterable[str], looks: Iterable[Look], *, may_scroll: bool = False, **options: Any
) -> list[Any]:
    """Open each page once for every width, since pages fold on a phone as they load, and show it in each scheme.

    A page that is shown in another scheme has changed its colors only, so only the rules about colors ask again.
    """
    found: list[Any] = []
    for address in addresses:
        loaded = 0
        for scheme, width in looks:
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            asked = {"resultTypes": ["violations"], **options}
            if width == loaded:
                asked["runOnly"] = {"type": "rule", "values": OF_COLORS}
            else:
                answer = page.goto(address)
                assert answer and answer.status == 200, address
                page.evaluate(Axe().axe_script)
                loaded = width
            page.evaluate(FADED)
            broken = page.evaluate(RULES, asked)
            found += [(scheme, width, address, rule["id"], rule["nodes"][0]["html"][:150]) for rule in broken]
            wider = 0 if may_scroll else page.evaluate(WIDER)
            found += [(scheme, width, address, "scrolls sideways", wider)] if wider > 0 else []
    return found
