"""Exclusion rules of identifiers and of users: list, create, change, delete, and a preview of what a rule excludes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from samsaas.lib import tables
from samsaas.lib.http import SignedInRequest
from subscriptions import links
from subscriptions.exclusions import edit as change_exclusions, exclude
from subscriptions.exclusions.filters import ExclusionFilter, IdentifierExclusionFilter, UserExclusionFilter
from subscriptions.exclusions.forms import IdentifierExclusionForm, UserExclusionForm
from subscriptions.exclusions.tables import ExclusionTable, IdentifierExclusionTable, UserExclusionTable
from subscriptions.models import IdentifierExclusion, Subscription, UserExclusion


@dataclass(frozen=True)
class Kind:
    """What differs between the two kinds of rules. The names of their pages begin with `key`."""

    key: str
    tab: str
    title: str
    model: type[IdentifierExclusion | UserExclusion]
    form: type[IdentifierExclusionForm | UserExclusionForm]
    table: type[ExclusionTable]
    filter: type[ExclusionFilter]
    related: tuple[str, ...]


KINDS = {
    kind.key: kind
    for kind in (
        Kind(
            "identifier_exclusion",
            "Subscription identifiers",
            "Subscription identifier exclusion rules",
            IdentifierExclusion,
            IdentifierExclusionForm,
            IdentifierExclusionTable,
            IdentifierExclusionFilter,
            ("profile", "identifier"),
        ),
        Kind(
            "user_exclusion",
            "Users",
            "Subscription user exclusion rules",
            UserExclusion,
            UserExclusionForm,
            UserExclusionTable,
            UserExclusionFilter,
            ("profile",),
        ),
    )
}


def exclusion_list(request: HttpRequest, kind: str) -> HttpResponse:
    """The rules of one kind, and how many subscriptions both kinds exclude."""
    about = KINDS[kind]
    rules = about.model._default_manager.select_related(*about.related)
    context: dict[str, Any] = tables.listing(request, rules, about.table, about.filter)
    context |= _page_names(about) | {"kinds": KINDS.values(), "left_out": Subscription.objects.left_out().count()}
    context["left_out_url"] = links.list_url(seats=links.EXCLUDED)
    return render(request, "subscriptions/exclusions/exclusion_list.html", context)


def exclusion_new(request: SignedInRequest, kind: str) -> HttpResponse:
    """A new rule."""
    return _edit_rule(request, KINDS[kind], KINDS[kind].model())


def exclusion_edit(request: SignedInRequest, kind: str, pk: int) -> HttpResponse:
    """Change a rule, or switch it off."""
    return _edit_rule(request, KINDS[kind], _get_rule(KINDS[kind], pk))


def _edit_rule(request: SignedInRequest, about: Kind, rule: Any) -> HttpResponse:
    """Preview shows what the form's rule would exclude and stores nothing. Save stores the rule and applies it."""
    form = about.form(request.POST or None, instance=rule)
    preview, unsure = None, False
    if form.is_valid():
        preview = exclude.preview_rule(form.instance)
        # The tick carries the number it was given for, so it is void if the rule was edited afterwards.
        unsure = bool(preview.risky) and request.POST.get("sure") != str(preview.total)
        if "preview" not in request.POST and not unsure:
            effect = change_exclusions.save(form.instance, by=request.user)
            messages.success(request, f"The rule was saved. {_effect_sentence(effect)}")
            return redirect(f"{about.key}_list")
    elif rule.pk and not form.is_bound:
        preview = exclude.preview_rule(rule)
    refused = unsure and "preview" not in request.POST
    context = _page_names(about) | {"form": form, "pk": rule.pk, "preview": preview, "refused": refused}
    return render(request, "subscriptions/exclusions/exclusion_form.html", context)


def exclusion_delete(request: SignedInRequest, kind: str, pk: int) -> HttpResponse:
    """Delete a rule after a confirmation. Seats that no other rule excludes count again."""
    about = KINDS[kind]
    rule = _get_rule(about, pk)
    if request.method == "POST":
        effect = change_exclusions.delete(rule, by=request.user)
        messages.success(request, f"The rule was deleted. {_effect_sentence(effect)}")
        return redirect(f"{about.key}_list")
    context = _page_names(about) | {
        "rule": rule,
        "back": exclude.count_returning(rule, None),
        "preview": exclude.preview_rule(rule),
    }
    return render(request, "subscriptions/exclusions/exclusion_delete.html", context)


def _get_rule(about: Kind, pk: int) -> Any:
    return get_object_or_404(about.model._default_manager.select_related(*about.related), pk=pk)


def _page_names(about: Kind) -> dict[str, Any]:
    return {"kind": about.key, "tab": about.tab, "title": about.title} | {
        f"{page}_page": f"{about.key}_{page}" for page in ("list", "new", "edit", "delete")
    }


def _effect_sentence(effect: change_exclusions.RuleEffect) -> str:
    if not effect.seats:
        return "No subscription changed."
    if effect.seats == 1:
        return "1 subscription was excluded or counts again. Users are being matched again."
    return f"{effect.seats:,} subscriptions were excluded or count again. Users are being matched again."
