"""User resolution rules: how seats find their person, in order."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from profiles.models import IntegrationProfile
from samsaas.lib.http import SignedInRequest
from subscriptions import edit_rules, try_rule
from subscriptions.forms_people import RuleForm
from subscriptions.models import Person, ResolutionRule, Subscription


def resolution_rule_list(request: SignedInRequest) -> HttpResponse:
    """Every rule in the order they are tried, with the matches each one made."""
    # Said again: Django forgets the model's order where it groups, and the order is what decides.
    rules = ResolutionRule.objects.annotate(found=Count("matches")).order_by("order", "pk")
    rules = rules.prefetch_related("profiles")
    return render(request, "people/rule_list.html", {"rules": rules})


def resolution_rule_create(request: SignedInRequest) -> HttpResponse:
    """A new rule, tried after the others until it is moved."""
    return _edited(request, ResolutionRule())


def resolution_rule_edit(request: SignedInRequest, pk: int) -> HttpResponse:
    """Change a rule."""
    return _edited(request, get_object_or_404(ResolutionRule, pk=pk))


def _edited(request: SignedInRequest, rule: ResolutionRule) -> HttpResponse:
    """Save, or only show what the rule would match as it stands in the form."""
    form = RuleForm(request.POST or None, instance=rule)
    context: dict[str, object] = {"form": form, "rule": rule if rule.pk else None, "name": rule.name}
    if form.is_valid():
        if "preview" not in request.POST:
            saved = edit_rules.save(form.instance, form.chosen_profiles, by=request.user)
            messages.success(request, f"{saved} was saved. Subscriptions are being matched again.")
            return redirect("resolution_rule_list")
        context |= _preview(form)
    return render(request, "people/rule_form.html", context)


def _preview(form: RuleForm) -> dict[str, object]:
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


def resolution_rule_delete(request: SignedInRequest, pk: int) -> HttpResponse:
    """A confirmation that says how many matches go."""
    rule = get_object_or_404(ResolutionRule.objects.annotate(found=Count("matches")), pk=pk)
    if request.method == "POST":
        edit_rules.delete(rule, by=request.user)
        messages.success(request, f"{rule} was deleted. Subscriptions are being matched again.")
        return redirect("resolution_rule_list")
    return render(request, "people/rule_delete.html", {"rule": rule})


@require_POST
def resolution_rule_move(request: SignedInRequest, pk: int) -> HttpResponse:
    """One place up or down."""
    rule = get_object_or_404(ResolutionRule, pk=pk)
    if request.POST.get("direction") in (edit_rules.UP, edit_rules.DOWN):
        edit_rules.move(rule, request.POST["direction"], by=request.user)
    return redirect("resolution_rule_list")
