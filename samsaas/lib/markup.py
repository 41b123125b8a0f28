"""Small pieces of markup for pages and for the cells of lists: icons, status pills, numbers, and text of strangers."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from pathlib import Path

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

ICONS = Path(__file__).parents[1] / "static" / "vendor" / "tabler-icons-3.51.0" / "outline.svg"
NOTHING = SafeString('<span class="nothing">–</span>')

# Status -> (tone, icon). The text beside the icon always names the status.
PILLS = {
    "draft": ("idle", "pencil"),
    "published": ("good", "circle-check"),
    "needs_authorization": ("bad", "key"),
    "client_refused": ("bad", "key"),
    "refresh_failed": ("bad", "alert-circle"),
    "refresh_held": ("warn", "player-pause"),
    "new": ("idle", "circle-dashed"),
    "connected": ("good", "circle-check"),
    "waiting": ("idle", "clock"),
    "queued": ("idle", "clock"),
    "running": ("info", "refresh"),
    "succeeded": ("good", "circle-check"),
    "held": ("warn", "player-pause"),
    "failed": ("bad", "alert-circle"),
    "canceled": ("idle", "ban"),
    "sent": ("good", "mail"),
    "kept": ("info", "inbox"),
    "withdrawn": ("idle", "ban"),
    "active": ("good", "circle-check"),
    "invited": ("info", "mail"),
    "suspended": ("warn", "player-pause"),
    "removed": ("idle", "user-off"),
    "unknown": ("idle", "help-circle"),
    "ended": ("idle", "history"),
    "granted": ("good", "check"),
    "compliant": ("good", "circle-check"),
    "not_compliant": ("bad", "alert-triangle"),
    "not_entitled": ("warn", "alert-triangle"),
    "missing": ("bad", "x"),
    "yes": ("good", "check"),
    "no": ("idle", "circle-minus"),
    "warning": ("warn", "alert-triangle"),
    "attention_required": ("bad", "alert-triangle"),
    "ready": ("good", "circle-check"),
    "awaiting_user": ("warn", "mail"),
    "awaiting_approval": ("warn", "user-circle"),
    "awaiting_revocation": ("info", "clock"),
    "approved": ("good", "check"),
    "gated": ("info", "clock"),
    "calling": ("info", "refresh"),
    "job": ("info", "refresh"),
    "restoring": ("info", "refresh"),
    "moving": ("info", "refresh"),
    "needs_human": ("bad", "alert-triangle"),
    "restored": ("good", "circle-check"),
    "closed": ("idle", "check"),
    "open": ("info", "clock"),
    "quarantined": ("warn", "player-pause"),
    "rejected": ("idle", "ban"),
    "done": ("idle", "check"),
    "freed": ("good", "check"),
    "returned": ("warn", "history"),
    "closed_complete": ("idle", "check"),
    "closed_skipped": ("idle", "circle-minus"),
    "closed_canceled": ("idle", "ban"),
}
# Control, zero-width and direction characters, which could disguise a name. Joiners stay, because scripts need them.
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
PLACES = re.compile(r"(<[^>]*>)|(?<=_)(?!_)|(?<=[^/]/)(?!/)|(?=@)")  # tags stay as they are


@cache
def icon_paths() -> dict[str, SafeString]:
    """Icon name -> drawing, read once. The file is vendored, so its markup is trusted."""
    found = re.findall(r'<symbol id="([\w-]+)"[^>]*>(.*?)</symbol>', ICONS.read_text())
    return {name: SafeString(paths) for name, paths in found}


@lru_cache(maxsize=512)
def icon(name: str, css: str = "") -> str:
    """An inline drawing in the text's color, hidden from screen readers."""
    return format_html(
        '<svg class="icon {}" viewBox="0 0 24 24" aria-hidden="true" focusable="false">{}</svg>',
        css,
        icon_paths()[name],
    )


@lru_cache(maxsize=512)
def pill(value: str, label: str = "") -> str:
    """A status as color, icon and words. `label` defaults to the value, made readable."""
    tone, name = PILLS.get(str(value), ("idle", "circle-dashed"))
    text = label or str(value).replace("_", " ").capitalize()
    drawing = icon(name, "spin" if value == "running" else "")
    return format_html('<span class="pill pill-{}">{}<span>{}</span></span>', tone, drawing, text)


def number(value: float | str | None) -> str:
    """The number with thousands separators and a true minus sign; a dash if there is no number."""
    return NOTHING if value is None or isinstance(value, str) else f"{value:,}".replace("-", "−")


def outside(text: str | None) -> str:
    """Text that somebody else chose: isolated for its writing direction, with invisible characters made visible."""
    if not text:
        return NOTHING
    if not CONTROL.search(text):
        return format_html("<bdi>{}</bdi>", text)
    pieces = re.split(f"({CONTROL.pattern})", text)
    shown = [
        (format_html('<span class="control">U+{}</span>', f"{ord(p):04X}") if CONTROL.fullmatch(p) else p,)
        for p in pieces
    ]
    return format_html("<bdi>{}</bdi>", format_html_join("", "{}", shown))


def breakable(text: str | None) -> str:
    """Like `outside`, for addresses and compound names: a line may break before @ and after a slash or underscore."""
    return mark_safe(PLACES.sub(lambda found: found[1] or "<wbr>", outside(text)))  # noqa: S308 - `outside` escapes


def visible(text: object) -> str:
    """Like `outside`, without markup: for a title or an attribute."""
    return CONTROL.sub(lambda found: f"U+{ord(found[0]):04X}", str(text))
