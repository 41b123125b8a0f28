"""Pages of saved views: saving one from its list, all that a person sees, renaming, sharing, deleting, opening with."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from samsaas import explain_conflict, policy
from samsaas.lib import edits
from samsaas.lib.http import SignedInRequest
from samsaas.lib.list_choices import read_choices
from samsaas.lib.local_path import read_local_path
from samsaas.lists import keep_view
from samsaas.lists.catalog import LISTS, ListPage
from samsaas.lists.forms import ViewForm
from samsaas.models import SavedView

MOST_VIEWS = 50  # of one person and one list
LONGEST_STATE = 2000
TOO_MANY = f"You have {MOST_VIEWS} views of this list. Delete one that you no longer need."
NOT_USABLE = "A view keeps only what the list can use. Correct the filter first:"
TOO_LONG = "This filter is too long to be saved."


def view_save(request: SignedInRequest) -> HttpResponse:
    """Save what a list shows as a new view, or as the view that the person changed."""
    page = _find_list(request, request.POST.get("list", ""))
    state = page.read_state(QueryDict(request.POST.get("query", "")[: 4 * LONGEST_STATE]))
    problems = page.find_problems(request, state)
    if problems or len(state) > LONGEST_STATE:
        messages.error(request, " ".join([NOT_USABLE, *problems]) if problems else TOO_LONG)
        return redirect(read_local_path(request.POST.get("back"), page.url))
    changed = _save_again(request, state) if request.POST.get("view") else _save_new(request, page, state)
    return redirect(page.view_url(changed) if changed else read_local_path(request.POST.get("back"), page.url))


def _save_again(request: SignedInRequest, state: str) -> SavedView:
    view = _find_view(request, request.POST.get("view", ""), to_change=True)
    keep_view.change(view, by=request.user, query=state, shared=view.shared)
    messages.success(request, f"“{view}” was saved with this filter.")
    return view


def _save_new(request: SignedInRequest, page: ListPage, state: str) -> SavedView | None:
    form = ViewForm(request.POST, instance=SavedView(list=page.key, owner=request.user))
    if SavedView.objects.filter(list=page.key, owner=request.user).count() >= MOST_VIEWS:
        messages.error(request, TOO_MANY)
        return None
    if form.is_valid():
        create = partial(keep_view.create, request.user, key=page.key, query=state, **form.cleaned_data)
        view: SavedView | None = edits.save_or_explain(form, create)
        if view:
            messages.success(request, f"“{view}” was saved.")
            return view
    messages.error(request, form.texts_of_errors())
    return None


def view_list(request: SignedInRequest) -> HttpResponse:
    """The saved views that the person sees, by list, and whether their filters still work."""
    asked, opens_with = request.GET.get("list", ""), read_choices(request).opens_with
    pages = [one for one in LISTS.values() if policy.may(request.user, one.url_name)]
    pages = [one for one in pages if one.key == asked] or pages
    rows: dict[str, list[dict[str, Any]]] = {one.key: [] for one in pages}
    for view in SavedView.objects.open_to(request.user).filter(list__in=rows).select_related("owner"):
        page = LISTS[view.list]
        row = {"view": view, "url": page.view_url(view), "problems": page.find_problems(request, view.query)}
        row |= {"may_change": keep_view.may_change(request.user, view), "opens": opens_with.get(page.key) == view.pk}
        rows[view.list].append(row)
    shown = [(one, rows[one.key]) for one in pages if rows[one.key]]
    return render(request, "samsaas/view_list.html", {"lists": shown, "only": pages[0] if len(pages) == 1 else None})


def view_edit(request: SignedInRequest, pk: int) -> HttpResponse:
    """Rename a view, share it, or keep it for oneself."""
    view = _find_view(request, str(pk), to_change=True)
    form = ViewForm(request.POST or None, instance=view)
    if form.is_valid() and not explain_conflict.refuse(request, form, view, "this view"):
        keep_view.change(view, by=request.user, **form.cleaned_data)
        messages.success(request, f"“{view}” was saved.")
        return redirect(_views_of(view))
    return render(request, "samsaas/view_edit.html", {"view": view, "form": form, "back": _views_of(view)})


def view_delete(request: SignedInRequest, pk: int) -> HttpResponse:
    """Delete a view after a confirmation."""
    view = _find_view(request, str(pk), to_change=True)
    if request.method == "POST":
        keep_view.delete(view, by=request.user)
        messages.success(request, f"“{view}” was deleted.")
        return redirect(_views_of(view))
    return render(request, "samsaas/view_delete.html", {"view": view, "back": _views_of(view)})


def view_default(request: SignedInRequest) -> HttpResponse:
    """Open a list with a view from now on, or with all of it."""
    page = _find_list(request, request.POST.get("list", ""))
    view = _find_view(request, request.POST["view"]) if request.POST.get("view") else None
    if view and view.list != page.key:
        raise Http404
    keep_view.open_with(request.user, page.key, view)
    messages.success(request, f"{page.title} opens with {f'“{view}”' if view else 'all rows'} now.")
    return redirect(read_local_path(request.POST.get("back"), page.whole_url))


def _find_list(request: SignedInRequest, key: str) -> ListPage:
    """A list that the person may open."""
    page = LISTS.get(key)
    if page is None:
        raise Http404
    if not policy.may(request.user, page.url_name):
        raise PermissionDenied
    return page


def _find_view(request: SignedInRequest, key: str, *, to_change: bool = False) -> SavedView:
    """A view that the person sees. Raises 404 for any other, and 403 if somebody else's is to be changed."""
    if not (key.isascii() and key.isdigit() and len(key) < 19):
        raise Http404
    view = get_object_or_404(SavedView.objects.open_to(request.user), pk=int(key), list__in=LISTS)
    _find_list(request, view.list)
    if to_change and not keep_view.may_change(request.user, view):
        raise PermissionDenied
    return view


def _views_of(view: SavedView) -> str:
    return f"{reverse('view_list')}?list={view.list}"
