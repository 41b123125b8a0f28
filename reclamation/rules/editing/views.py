"""Pages that change a rule: its form, the preview of what that would do, and the review."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from reclamation.models import ReclamationRule
from reclamation.rules import edit_rule, figures, versions, words
from reclamation.rules.edit_rule import Opened
from reclamation.rules.editing import preview_page
from reclamation.rules.editing.forms import AUTOMATIC, FIND, ReclamationRuleForm, ReviewForm, hold_values, read_searches
from reclamation.rules.files_go_to import describe_destinations
from reclamation.rules.scope import Scope, read_scope
from reclamation.rules.thresholds import HIGHEST, LOWEST
from samsaas import audit
from samsaas.lib import csv_export, edits
from samsaas.lib.http import SignedInRequest
from samsaas.reauthenticate import recent_password_required

SAVE, EXPORT, EDIT, FIND_VALUES = "save", "export", "edit", "find"
RELATED = ("software_model", "assignment_group", "reviewed_by")
MOST_VERSIONS = 20
READ_AGAIN = "The rule was changed while you read it, so nothing was confirmed. Read it again as it is now."


def _needs_password(request: HttpRequest, pk: int) -> bool:
    """Whether saving would let the rule act by itself, or delete files on devices."""
    posted = request.POST
    return posted.get("step") == SAVE and (posted.get("mode") == AUTOMATIC or bool(posted.get("wipe_devices")))


@recent_password_required(when=_needs_password)
def rule_edit(request: SignedInRequest, pk: int) -> HttpResponseBase:
    """Fill in the form of a rule, look at what it would do, and save it."""
    rule = _get_rule(pk)
    if request.method != "POST":
        return _show_form(request, rule, ReclamationRuleForm(rule=rule, initial=_threshold_of_slider(request)))
    step, searches = request.POST.get("step", ""), read_searches(request.POST)
    if step in (EDIT, FIND_VALUES) or (searches and step not in (SAVE, EXPORT)):
        held = hold_values(request.POST, rule)
        return _show_form(request, rule, ReclamationRuleForm(rule=rule, initial=held, searches=searches))
    form = ReclamationRuleForm(request.POST, rule=rule)
    if not form.is_valid():
        return _show_form(request, rule, form)
    if form.opened != Opened.of_rule(rule):
        return _show_conflict(request, rule, form.opened)
    if step == EXPORT:
        return _export_moves(request, rule, form)
    return _save(request, rule, form) if step == SAVE else _show_preview(request, rule, form)


def _save(request: SignedInRequest, rule: ReclamationRule, form: ReclamationRuleForm) -> HttpResponse:
    try:
        saved = edit_rule.save(rule, form.changes, by=request.user, now=timezone.now(), opened=form.opened)
    except edits.EditConflict:
        return _show_conflict(request, _get_rule(rule.pk), form.opened)
    except ValidationError as refused:
        for text in refused.messages:
            form.add_error(None, text)
        return _show_form(request, rule, form)
    changed = (saved.version, saved.name) != (rule.version, rule.name)
    messages.success(request, f"{saved} was saved." if changed else "Nothing was changed.")
    return redirect(saved)


def _show_form(
    request: HttpRequest, rule: ReclamationRule, form: ReclamationRuleForm, conflict: dict[str, Any] | None = None
) -> HttpResponse:
    context = {"rule": rule, "form": form, "conflict": conflict}
    return render(request, "reclamation/rules/rule_edit.html", context, status=409 if conflict else 200)


def _show_conflict(request: HttpRequest, rule: ReclamationRule, opened: Opened) -> HttpResponse:
    """The form with all that was filled in, what others did meanwhile, and the rule as it is now to compare with."""
    held = hold_values(request.POST, rule) | {"version": rule.version, "opened_name": rule.name}
    newer = list(rule.versions.filter(version__gte=opened.version).select_related("by")[: MOST_VERSIONS + 1])
    renamed = [f"Name: {opened.name} → {rule.name}"] if opened.name != rule.name else []
    by = sorted({one.by.get_username() if one.by else "samsaas" for one in newer if one.version > opened.version})
    changed = words.compare_first_and_last(newer) if newer else []
    conflict = {"by": ", ".join(by), "changes": renamed + changed}
    return _show_form(request, rule, ReclamationRuleForm(rule=rule, initial=held), conflict)


def _show_preview(request: HttpRequest, rule: ReclamationRule, form: ReclamationRuleForm) -> HttpResponse:
    lists = request.POST.lists()
    held = [(name, value) for name, values in lists for value in values if _is_setting(name)]
    context = preview_page.describe_preview(rule, form.unsaved, timezone.now())
    return render(request, "reclamation/rules/rule_preview.html", context | {"form": form, "fields": held})


def _is_setting(name: str) -> bool:
    return name not in ("csrfmiddlewaretoken", "step") and not name.startswith(FIND)


def _export_moves(request: SignedInRequest, rule: ReclamationRule, form: ReclamationRuleForm) -> HttpResponseBase:
    """Everybody who enters or leaves, as CSV."""
    number, rows = preview_page.export_moves(rule, form.unsaved, timezone.now())
    audit.record_export(request.user, "preview of a rule", rows=number, filters={"rule": rule.name})
    return csv_export.stream(f"preview-of-rule-{rule.pk}", preview_page.HEADER, rows)


def _threshold_of_slider(request: HttpRequest) -> dict[str, int]:
    asked = request.GET.get("threshold", "")
    days = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 5 else 0
    return {"threshold_days": days} if LOWEST <= days <= HIGHEST else {}


def rule_review(request: SignedInRequest, pk: int) -> HttpResponse:
    """Read the whole rule, and confirm that it may ask people and remove subscriptions."""
    rule, now = _get_rule(pk), timezone.now()
    form = ReviewForm(request.POST or None, rule=rule)
    if form.is_valid():
        hold = form.cleaned_data["legal_hold"]
        try:
            edit_rule.review(rule, by=request.user, now=now, legal_hold_checked=hold, opened=form.opened)
        except edits.EditConflict:
            messages.error(request, READ_AGAIN)
            return redirect("rule_review", pk)
        messages.success(request, f"The review of {rule} was confirmed. It may ask people and propose removals now.")
        return redirect(rule)
    context = {"rule": rule, "form": form, **_describe_for_review(rule, read_scope(rule, now))}
    return render(request, "reclamation/rules/rule_review.html", context)


def _describe_for_review(rule: ReclamationRule, scope: Scope) -> dict[str, Any]:
    """All that a reviewer has to read."""
    settings = versions.settings_as_stored(rule)
    unreviewed = figures.versions_since_review(rule).select_related("by")
    return {
        "sections": words.describe(settings, words.read_names(settings)),
        "destinations": describe_destinations(rule, scope),
        "since": words.compare_versions(_with_one_before(rule, list(unreviewed[:MOST_VERSIONS]))),
    }


def _with_one_before(rule: ReclamationRule, rows: list[Any]) -> list[Any]:
    """The versions, and the one that the last of them changed."""
    before = rule.versions.filter(version__lt=rows[-1].version).first() if rows else None
    return [*rows, before] if before else rows


def _get_rule(pk: int) -> ReclamationRule:
    return get_object_or_404(ReclamationRule.objects.select_related(*RELATED), pk=pk)
