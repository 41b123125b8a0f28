"""The pages of `docs/` inside the product: which of them explains a page, and how they look there.

1. Markdown becomes HTML; what is written as HTML in a page stays text.
2. Headings get the anchors that the documents' own links use, and wide tables scroll.
3. A link to another document leads to it in the product, a picture to its address here. A link to a file that the
   product does not show stays text.
4. Only harmless elements are left, whatever a page holds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import nh3
from django.conf import settings
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

DOCS: Path = settings.BASE_DIR / "docs"
# URL name, or the beginning of several -> document and heading; the longest that fits wins.
PAGES = {
    "home": "reconciliation",
    "help_": "glossary",
    **dict.fromkeys(("login", "logout", "password_", "account_", "own_", "invitation_"), "accounts"),
    "sight_": "accounts#limited-sight",
    "own_zone": "accounts#your-time-zone",
    "audit_": "operating#the-audit-trail",
    "metrics": "operating#watch-it-with-prometheus",
    **dict.fromkeys(("notification_", "webhook_"), "notifications"),
    **dict.fromkeys(("api:", "api_", "token_"), "api"),
    **dict.fromkeys(("mfa_", "openid_connect_", "saml_"), "sign-on"),
    "report_": "reports",
    "retention": "personal-data",
    "find": "lists",
    "list_": "lists",
    "view_": "lists#saved-views",
    "exported_list": "exports",
    "profile_": "schedule",
    "profile_new": "connecting-dropbox",
    "profile_create": "connecting-dropbox",
    "profile_edit": "connecting-dropbox",
    "profile_connection": "connecting-dropbox",
    "profile_disconnect": "connecting-dropbox",
    "oauth_redirect": "connecting-dropbox",
    "authorization_": "refusals",
    "activity_": "activity",
    "alias_": "aliases",
    "alias_limits": "removals",
    "scheduled_job_": "schedule",
    "run_": "schedule",
    "subscription_": "activity",
    "software_model_": "software-models",
    "identifier_": "software-models",
    "user_exclusion_": "software-models",
    "unmatched_": "people#subscriptions-without-user",
    "person_": "people",
    "person_import_": "people#import",
    "several_subscriptions": "people#more-than-one-subscription-of-a-product",
    "resolution_rule_": "people#user-resolution-rules",
    "entitlement_": "entitlements",
    "allocation_": "entitlements",
    "renewal": "entitlements",
    **dict.fromkeys(
        ("license-usage", "publisher_result", "product_result", "model_result", "model_position", "metric_result")
        + ("seat_result", "group_result", "held_right", "remedy_", "reconciliation", "position_", "vendor-drift"),
        "reconciliation",
    ),
    **dict.fromkeys(("candidate_", "reason_"), "removal-candidates"),
    **dict.fromkeys(("rule_", "backtest_", "exemption_", "keep", "notice_", "approval_"), "reclamation"),
    **dict.fromkeys(("candidate_resume", "batch_", "attempt_", "removal_switch", "savings_"), "removals"),
    "admin:": "core-ui",
}
ALLOWED: dict[str, set[str]] = {
    **{name: {"id"} for name in ("h1", "h2", "h3", "h4")},
    **{name: set() for name in ("p", "ul", "li", "strong", "em", "code", "pre", "blockquote", "br", "hr", "thead")},
    **{name: set() for name in ("tbody", "tr")},
    "ol": {"start"},
    "th": {"scope"},
    "td": set(),
    "a": {"href"},
    "img": {"src", "alt"},
    "table": {"class"},
    "div": {"class", "role", "tabindex", "aria-label"},
}


def page_for(url_name: str) -> str:
    """The document that explains a page, perhaps with a heading; empty where none does."""
    fitting = [beginning for beginning in PAGES if url_name.startswith(beginning)]
    return PAGES[max(fitting, key=len)] if fitting else ""


def address_for(url_name: str) -> str:
    """Where *Help* on a page leads."""
    document, _, heading = page_for(url_name).partition("#")
    place = reverse("help_page", args=[document]) if document else reverse("help_list")
    return f"{place}#{heading}" if heading else place


@cache
def titles() -> dict[str, str]:
    """Every document and its title, by title."""
    found = {path.stem: path.read_text().partition("\n")[0].lstrip("# ") for path in DOCS.glob("*.md")}
    return dict(sorted(found.items(), key=lambda one: one[1].casefold()))


@cache
def pictures() -> frozenset[str]:
    return frozenset(path.name for path in (DOCS / "images").glob("*.png"))


@cache
def render(document: str) -> SafeString:
    """The HTML of a document below its title. The caller knows that it exists."""
    _, _, text = (DOCS / f"{document}.md").read_text().partition("\n")
    reader = MarkdownIt("commonmark", {"html": False}, renderer_cls=DocumentRenderer).enable("table")
    html = nh3.clean(reader.render(text), tags=set(ALLOWED), attributes=ALLOWED, url_schemes={"http", "https"})
    return mark_safe(html)  # noqa: S308 - cleaned in the line above


def anchor_of(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _local_address(target: str) -> str:
    """The address in the product of what a document points at; empty where the product does not show it."""
    path, mark, heading = target.partition("#")
    if re.match(r"https?://", target) or (mark and not path):
        return target
    name = Path(path).name
    if path == f"images/{name}" and name in pictures():
        return reverse("help_image", args=[name])
    if path == name and name.endswith(".md") and name.removesuffix(".md") in titles():
        return reverse("help_page", args=[name.removesuffix(".md")]) + mark + heading
    return ""


class DocumentRenderer(RendererHTML):
    """Each method renders the tokens of its name."""

    def heading_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        tokens[idx].attrSet("id", anchor_of(tokens[idx + 1].content))
        return self.renderToken(tokens, idx, options, env)

    def table_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """A table that scrolls by itself. Its number tells its region from the others of the page."""
        number = sum(one.type == "table_open" for one in tokens[: idx + 1])
        return f'<div class="scroller" role="region" tabindex="0" aria-label="Table {number}"><table class="grid">'

    def table_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return "</table></div>"

    def th_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return '<th scope="col">'

    def link_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        address = _local_address(str(tokens[idx].attrGet("href") or ""))
        env["is_link"] = bool(address)
        tokens[idx].attrSet("href", address)
        return self.renderToken(tokens, idx, options, env) if address else ""

    def link_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return "</a>" if env["is_link"] else ""

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        tokens[idx].attrSet("src", _local_address(str(tokens[idx].attrGet("src") or "")))
        return super().image(tokens, idx, options, env)
