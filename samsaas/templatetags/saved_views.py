"""The menu of saved views above a list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import template
from django.template.context import RequestContext

from samsaas.lib.list_choices import SAVED, read_choices
from samsaas.lists import keep_view
from samsaas.lists.catalog import LISTS, ListPage
from samsaas.models import SavedView

register = template.Library()


@dataclass(frozen=True)
class ViewMenu:
    """The views of a list for one person. `current` is the one that the address names, `state` what the list shows."""

    page: ListPage
    state: str
    views: list[SavedView]
    current: SavedView | None
    default: int | None
    may_change: bool
    lost: list[str]

    @property
    def rows(self) -> list[tuple[SavedView, str]]:
        return [(view, self.page.view_url(view)) for view in self.views]

    @property
    def is_changed(self) -> bool:
        """Whether the list shows something else than the view that it was opened with."""
        return self.current is not None and self.current.query != self.state


@register.simple_tag(takes_context=True)
def view_menu(context: RequestContext) -> ViewMenu | None:
    """The menu of the list of this page; None if it has no saved views. One query."""
    request, page = context["request"], LISTS.get(context["look"].key)
    if page is None or not context.get("filter") or request.path != page.url:
        return None
    views = list(SavedView.objects.open_to(request.user).filter(list=page.key).select_related("owner"))
    named = next((one for one in views if str(one.pk) == request.GET.get(SAVED)), None)
    return ViewMenu(
        page=page,
        state=page.read_state(request.GET),
        views=views,
        current=named,
        default=read_choices(request).opens_with.get(page.key),
        may_change=named is not None and keep_view.may_change(request.user, named),
        lost=_list_lost(context["filter"], named),
    )


def _list_lost(filterset: Any, view: SavedView | None) -> list[str]:
    """The filters of the view that the list could not use: their choice has vanished since it was saved."""
    if view is None:
        return []
    stored = {part.partition("=")[0] for part in view.query.split("&")}
    fields = filterset.form.fields
    return [str(fields[name].label) for name in filterset.form.errors if name in stored and name in fields]
