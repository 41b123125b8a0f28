"""Pages of connection & credential aliases: which alias serves which profile, and the children of a parent."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from profiles.aliases import edit as edit_alias, inheritance
from profiles.aliases.forms import AliasForm, LimitsForm
from profiles.aliases.tables import AliasTable
from profiles.connection import endpoints
from profiles.connection.forms import changes_clients
from profiles.models import ConnectionAlias
from samsaas import explain_conflict, keep_secrets
from samsaas.lib import edits, tables
from samsaas.lib.http import SignedInRequest
from samsaas.reauthenticate import recent_password_required


def alias_list(request: HttpRequest) -> HttpResponse:
    """Parents and their children."""
    aliases = ConnectionAlias.objects.select_related("parent", "profile")
    return render(request, "profiles/aliases/alias_list.html", tables.listing(request, aliases, AliasTable))


def alias_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One alias: its connection, its credentials without their secrets, its settings, its profile and its children."""
    alias = _get_alias(pk)
    context = {
        "alias": alias,
        "endpoints": endpoints.for_vendor(alias.vendor),
        "credentials": alias.credentials.select_related("authorized_by"),
        "settings": inheritance.settings_of(alias),
        "children": alias.children.select_related("profile"),
        "can_delete": edit_alias.can_delete(alias),
    }
    return render(request, "profiles/aliases/alias_detail.html", context)


def alias_child_new(request: SignedInRequest, pk: int) -> HttpResponse:
    """Create a child alias. A child has no children, so from a child's address the new one goes below its parent."""
    parent = _get_alias(pk)
    parent = parent.parent or parent
    data = keep_secrets.read_form(request, now=timezone.now())
    form = AliasForm(data, instance=ConnectionAlias(parent=parent, vendor=parent.vendor))
    if form.is_valid():
        alias = edits.save_or_explain(form, lambda: edit_alias.create(parent, form.cleaned_data, by=request.user))
        if alias:
            keep_secrets.forget(request)
            messages.success(request, f"{alias} was created. Choose it on the form of an integration profile.")
            return redirect(alias)
    keep_secrets.keep(request, form, now=timezone.now())
    return render(request, "profiles/aliases/alias_form.html", {"form": form, "parent": parent})


def changes_connection(request: SignedInRequest, pk: int) -> bool:
    """Whether the posted form has another client id or secret than the stored alias."""
    return changes_clients(pk, keep_secrets.read_form(request, now=timezone.now()) or {})


@recent_password_required(when=changes_connection)
def alias_edit(request: SignedInRequest, pk: int) -> HttpResponse:
    """Change an alias; a secret left empty stays as it is."""
    form = AliasForm(keep_secrets.read_form(request, now=timezone.now()), instance=_get_alias(pk))
    if form.is_valid():
        try:
            alias = edits.save_or_explain(form, lambda: edit_alias.change(pk, form.cleaned_data, by=request.user))
        except edits.EditConflict:
            explain_conflict.run(request, form, form.instance, "this alias")
        else:
            if alias:
                keep_secrets.forget(request)
                messages.success(request, f"{alias} was saved.")
                return redirect(alias)
    keep_secrets.keep(request, form, now=timezone.now())
    alias = _get_alias(pk)
    return render(request, "profiles/aliases/alias_form.html", {"form": form, "alias": alias, "parent": alias.parent})


@recent_password_required
def alias_limits(request: SignedInRequest, pk: int) -> HttpResponse:
    """Change how many removals a team of this alias allows. Only an administrator may."""
    form = LimitsForm(request.POST or None, instance=_get_alias(pk))
    if form.is_valid() and not explain_conflict.refuse(request, form, form.instance, "these limits"):
        alias = edit_alias.change_limits(pk, form.cleaned_data, by=request.user)
        messages.success(request, f"The limits of {alias} were saved. They count from the next removal on.")
        return redirect(alias)
    return render(request, "profiles/aliases/alias_limits.html", {"form": form, "alias": _get_alias(pk)})


@recent_password_required
def alias_delete(request: SignedInRequest, pk: int) -> HttpResponse:
    """Ask, then delete an unused child."""
    alias = _get_alias(pk)
    if request.method == "POST":
        try:
            edit_alias.delete(pk, by=request.user)
        except edit_alias.InUse:
            messages.error(request, f"{alias} cannot be deleted: it is in use or a parent alias.")
            return redirect(alias)
        messages.success(request, f"{alias} was deleted.")
        return redirect("alias_list")
    return render(
        request, "profiles/aliases/alias_delete.html", {"alias": alias, "can_delete": edit_alias.can_delete(alias)}
    )


def _get_alias(pk: int) -> ConnectionAlias:
    return get_object_or_404(ConnectionAlias.objects.select_related("parent", "profile"), pk=pk)
