"""The page that makes two people one: choose the other, see what moves, confirm."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from samsaas.lib.http import SignedInRequest
from subscriptions.models import Person
from subscriptions.people import merge
from subscriptions.people.forms import OtherPersonForm, SearchForm

PAGE = "subscriptions/people/person_merge.html"


def person_merge(request: SignedInRequest, pk: int) -> HttpResponse:
    """Merge another person into this one, after a confirmation that says what moves."""
    person = get_object_or_404(Person, pk=pk)
    chosen = OtherPersonForm(request.POST if request.method == "POST" else request.GET, person=person)
    other = chosen.cleaned_data["other"] if chosen.is_valid() else None
    if other is None:
        return render(request, PAGE, {"person": person, **_offered(request, person)})
    if request.method == "POST":
        return _merge(request, person, other)
    return render(request, PAGE, {"person": person, "other": other, "moved": merge.preview(person, other)})


def _offered(request: SignedInRequest, person: Person) -> dict[str, Any]:
    form = SearchForm(request.GET)
    text = form.cleaned_data["q"] if form.is_valid() else ""
    return {"offered": merge.offer(person, text), "text": text}


def _merge(request: SignedInRequest, person: Person, other: Person) -> HttpResponse:
    try:
        kept = merge.run(person.pk, other.pk, by=request.user, now=timezone.now())
    except merge.CannotMerge as obstacle:
        messages.error(request, str(obstacle))
        return redirect("person_merge", person.pk)
    except Person.DoesNotExist:
        messages.info(request, "One of them was deleted meanwhile.")
        return redirect("person_list")
    messages.success(request, f"{other} ({other.key}) was merged into {kept}.")
    return redirect(kept)
