"""Pages of subscriptions without user, where they are matched by hand, and of user resolution rules."""

from __future__ import annotations

from functools import partial

from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from profiles.models import IntegrationProfile
from samsaas import explain_conflict, policy
from samsaas.lib import edits, selection, selection_bar, tables
from samsaas.lib.http import SignedInRequest
from samsaas.lib.local_path import read_local_path
from subscriptions.filters import LARGEST_KEY
from subscriptions.matching import by_hand as match_by_hand, edit_rules, suggest, try_rule
from subscriptions.matching.filters import PersonChoiceFilter, UnmatchedFilter
from subscriptions.matching.forms import RuleForm
from subscriptions.matching.selected_views import UNDO
from subscriptions.matching.selection import UNMATCHED, allowed_actions, visible_seats
from subscriptions.matching.tables import PersonChoiceTable, UnmatchedTable
from subscriptions.models import Person, ResolutionRule, Subscription
from subscriptions.users import changes_file
from subscriptions.users.confirm import DOWNLOAD, is_confirmed, shown_changes


def unmatched_list(request: SignedInRequest) -> HttpResponse:
    """Current seats without a user, each with suggestions."""
    actions = allowed_actions(request)
    seats, chosen = visible_seats(request).select_related("profile"), selection.read_for_file(request, UNMATCHED)
    hidden = () if actions else ("tick",)
    context = tables.listing(request, seats, UnmatchedTable, UnmatchedFilter, chosen=chosen, exclude=hidden)
    if actions:
        selection_bar.prepare_page(request, context, UNMATCHED, actions)
    shown = list(context["table"].page.object_list.data)
    suggestions, allowed = suggest.run(shown), policy.may(request.user, "unmatched_match", method="POST")
    for seat in shown:
        seat.suggestions, seat.may_match = suggestions[seat.pk], allowed
    context |= {"back": request.get_full_path(), "undo": request.session.get(UNDO)}
    return render(request, "subscriptions/matching/unmatched_list.html", context)


def unmatched_search(request: SignedInRequest, pk: int) -> HttpResponse:
    """Search the directory for the person behind one seat."""
    seat = get_object_or_404(Subscription.objects.select_related("profile", "match__person"), pk=pk)
    people = Person.objects.with_seat_counts().prefetch_related("addresses")
    context = tables.listing(request, people, PersonChoiceTable, PersonChoiceFilter)
    for person in context["table"].page.object_list.data:
        person.seat = seat
    suggestions = suggest.run([seat])[seat.pk]
    context |= {"seat": seat, "suggestions": suggestions, "back": _return_path(request.GET) or seat.get_absolute_url()}
    return render(request, "subscriptions/matching/unmatched_search.html", context)


@require_POST
def unmatched_match(request: SignedInRequest) -> HttpResponse:
    """Match a seat with a person, in one click."""
    seat, person = _parse_pair(request.POST.get("pair", ""))
    match_by_hand.run(seat, person, by=request.user, now=timezone.now())
    place = _return_path(request.POST) or seat.get_absolute_url()
    # The message has an Undo button only on the work list, whose form it uses. The seat's own page has its own button.
    context = {"seat": seat, "person": person, "undo": place.startswith(reverse("unmatched_list"))}
    messages.success(request, render_to_string("subscriptions/matching/matched.html", context))
    return redirect(place)


@require_POST
def unmatched_remove(request: SignedInRequest, pk: int) -> HttpResponse:
    """Remove a match made by hand. The rules try the seat again."""
    seat = get_object_or_404(Subscription.objects.select_related("profile"), pk=pk)
    if match_by_hand.remove(seat, by=request.user):
        messages.success(request, "The match made by hand was removed. The resolution rules are being applied again.")
    else:
        messages.info(request, "There is no match made by hand.")
    return redirect(_return_path(request.POST) or seat.get_absolute_url())


def _parse_pair(text: str) -> tuple[Subscription, Person]:
    """The seat and the person of “seat:person”, which the buttons send. Raises `Http404`."""
    keys = [int(key) for key in text.split(":") if key.isascii() and key.isdigit() and len(key) < 20]
    if len(keys) != 2 or max(keys) > LARGEST_KEY:
        raise Http404
    return get_object_or_404(Subscription, pk=keys[0]), get_object_or_404(Person, pk=keys[1])


def _return_path(given: QueryDict) -> str:
    """The page to return to; empty unless it is a page of this site."""
    return read_local_path(given.get("back"))


def resolution_rule_list(request: SignedInRequest) -> HttpResponse:
    """All rules in the order in which they are tried, with how many matches each has made."""
    # Ordered explicitly: Django drops the model's ordering in a query that groups.
    rules = ResolutionRule.objects.annotate(found=Count("matches")).order_by("order", "pk")
    rules = rules.prefetch_related("profiles")
    return render(request, "subscriptions/matching/rule_list.html", {"rules": rules})


def resolution_rule_create(request: SignedInRequest) -> HttpResponseBase:
    """Create a rule. It is tried after the others until it is moved."""
    return _edit_rule(request, ResolutionRule())


def resolution_rule_edit(request: SignedInRequest, pk: int) -> HttpResponseBase:
    """Change a rule."""
    return _edit_rule(request, get_object_or_404(ResolutionRule, pk=pk))


def _edit_rule(request: SignedInRequest, rule: ResolutionRule) -> HttpResponseBase:
    """Save the rule, or only show what it would match with the values in the form."""
    form = RuleForm(request.POST or None, instance=rule)
    context: dict[str, object] = {"form": form, "rule": rule if rule.pk else None, "name": rule.name}
    if form.is_valid() and not explain_conflict.refuse(request, form, rule, "this rule"):
        changes = edit_rules.preview_save(form.instance, form.chosen_profiles, most=shown_changes(request.POST))
        if DOWNLOAD in request.POST:
            return changes_file.stream("resolution-rule", changes.shown, rows=len(changes.shown), by=request.user)
        if "preview" not in request.POST and is_confirmed(changes, request.POST):
            save = partial(edit_rules.save, form.instance, form.chosen_profiles, by=request.user)
            if saved := edits.save_or_explain(form, save):
                messages.success(request, f"{saved} was saved. Subscriptions are being matched again.")
                return redirect("resolution_rule_list")
        context |= _trial_context(form) | {"changes": changes}
    return render(request, "subscriptions/matching/rule_form.html", context)


def _trial_context(form: RuleForm) -> dict[str, object]:
    profiles = form.chosen_profiles or list(IntegrationProfile.objects.all())
    preview = try_rule.run(form.instance, profiles)
    related = ("profile", "match__person", "match__rule")
    seats = Subscription.objects.select_related(*related).in_bulk([seat for seat, _ in preview.sample])
    people = Person.objects.in_bulk([person for _, person in preview.sample])
    sample = [(seats.get(seat), people.get(person)) for seat, person in preview.sample]
    return {
        "preview": preview,
        "sample": [pair for pair in sample if all(pair)],
        "source": form.instance.get_source_display(),
        "lookup": form.instance.get_lookup_display(),
    }


def resolution_rule_delete(request: SignedInRequest, pk: int) -> HttpResponseBase:
    """Delete a rule after a confirmation that says how many matches are deleted with it."""
    rule = get_object_or_404(ResolutionRule.objects.annotate(found=Count("matches")), pk=pk)
    if request.method == "POST":
        edit_rules.delete(rule, by=request.user)
        messages.success(request, f"{rule} was deleted. Subscriptions are being matched again.")
        return redirect("resolution_rule_list")
    changes = edit_rules.preview_delete(rule, most=shown_changes(request.GET))
    if DOWNLOAD in request.GET:
        return changes_file.stream("resolution-rule", changes.shown, rows=len(changes.shown), by=request.user)
    context = {"rule": rule, "changes": changes}
    return render(request, "subscriptions/matching/rule_delete.html", context)


@require_POST
def resolution_rule_move(request: SignedInRequest, pk: int) -> HttpResponseBase:
    """Move a rule one place up or down. If a subscription would change its user, ask first."""
    rule, direction = get_object_or_404(ResolutionRule, pk=pk), request.POST.get("direction", "")
    if direction in (edit_rules.UP, edit_rules.DOWN):
        changes = edit_rules.preview_move(rule, direction, most=shown_changes(request.POST))
        if DOWNLOAD in request.POST:
            return changes_file.stream("resolution-rule", changes.shown, rows=len(changes.shown), by=request.user)
        if not is_confirmed(changes, request.POST):
            context = {"rule": rule, "changes": changes, "direction": direction}
            return render(request, "subscriptions/matching/rule_move.html", context)
        edit_rules.move(rule, direction, by=request.user)
    return redirect("resolution_rule_list")
