"""Links from one place of a list to another: pages, orders, sizes of pages."""

from __future__ import annotations

from typing import Any

from django import template
from django.http import QueryDict
from django.template.context import RequestContext
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from samsaas.lib.selection import PARAMETER
from samsaas.lib.selection_bar import FORM

register = template.Library()


@register.simple_block_tag(takes_context=True)
def list_link(context: RequestContext, content: str, name: str, **options: Any) -> str:
    """A link to another place of the list: `{% list_link "page-on" page=3 rel="next" %}Next page{% endlist_link %}`.

    `label`, `rel` and `current` describe the link, every other option is a parameter of the address; None takes it out.
    Where rows can be selected it is a button for browsers without scripts, because only a form takes along the ticks.
    """
    return write_link(context, content, name, options)


@register.simple_tag(takes_context=True)
def page_link(context: RequestContext, place: int) -> str:
    """The link to a page by its number."""
    current = "page" if place == context["table"].page.number else ""
    options = {"label": f"Page {place}", "current": current, "page": place}
    return write_link(context, f"{place:,}", f"page-{place}", options)


@register.simple_tag(takes_context=True)
def size_link(context: RequestContext, size: int) -> str:
    """The link to the same list with pages of another size."""
    options = {"label": f"{size} rows per page", "per_page": size, "page": None}
    return write_link(context, str(size), f"size-{size}", options)


def write_link(context: RequestContext, content: str, name: str, options: dict[str, Any]) -> str:
    """The link, or link and button, of `list_link`."""
    described = {"aria-label": options.pop("label", ""), "aria-current": options.pop("current", "")}
    attributes = write_attributes(described)
    rel, selection = write_attributes({"rel": options.pop("rel", "")}), context["table"].selection
    query = change_query(context["request"].GET, {PARAMETER: None, **options})
    if not selection:
        return format_html('<a id="{}" href="?{}"{}{}>{}</a>', name, query.urlencode(), rel, attributes, content)
    place = query.urlencode()
    query[PARAMETER] = selection.token
    link = '<a id="{}" href="?{}" class="needs-js"{}{}>{}</a>'
    button = '<button type="submit" form="{}" name="go" value="?{}" class="without-js go"{}>{}</button>'
    return format_html(link, name, query.urlencode(), rel, attributes, content) + format_html(
        button, FORM, place, attributes, content
    )


def change_query(query: QueryDict, changes: dict[str, Any]) -> QueryDict:
    """The query with other values of some parameters, and without those whose value is None."""
    changed = query.copy()
    for parameter, value in changes.items():
        changed.pop(parameter, None)
        if value is not None:
            changed[parameter] = str(value)
    return changed


def write_attributes(values: dict[str, str]) -> SafeString:
    """The attributes that have a value."""
    return format_html_join("", ' {}="{}"', ((key, value) for key, value in values.items() if value))
