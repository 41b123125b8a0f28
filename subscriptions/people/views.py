"""Pages of the directory: the list of people, one person, and changing people by hand."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render

from samsaas import explain_conflict
from samsaas.lib import edits, tables
from samsaas.lib.http import SignedInRequest
from samsaas.lib.list_choices import columns_shown
from subscriptions.models import Person
from subscriptions.models.person import PersonQuerySet
from subscriptions.people import directory, edit as edit_people, tie_account
from subscriptions.people.filters import PersonFilter
from subscriptions.people.forms import PersonAccountForm, PersonForm
from subscriptions.people.tables import PersonTable
from subscriptions.users import changes_file
from subscriptions.users.confirm import DOWNLOAD, is_confirmed, shown_changes


def _people_with_seats() -> PersonQuerySet:
    return Person.objects.with_seat_counts().prefetch_related("addresses")


def person_list(request: SignedInRequest) -> HttpResponse:
    """All people of the directory."""
    shown, people = columns_shown(request, PersonTable), Person.objects.all()
    people = people.with_seat_counts() if "seats" in shown else people
    people = people.prefetch_related("addresses") if "email" in shown else people
    context = tables.listing(request, people, PersonTable, PersonFilter)
    return render(request, "subscriptions/people/person_list.html", context)


def person_detail(request: SignedInRequest, pk: int) -> HttpResponse:
    """One person: data, addresses, seats, manager and direct reports."""
    person = get_object_or_404(_people_with_seats().select_related("account"), pk=pk)
    context = {"person": person, "seats": directory.seats_of(person), **directory.page_context(person)}
    return render(request, "subscriptions/people/person_detail.html", context)


def person_create(request: SignedInRequest) -> HttpResponseBase:
    """Add a person by hand."""
    form = PersonForm(request.POST or None)
    context: dict[str, Any] = {"form": form}
    if form.is_valid():
        data, most = form.cleaned_data, shown_changes(request.POST)
        context["changes"] = edit_people.preview_save(form.instance, data, most=most)
        if DOWNLOAD in request.POST:
            return changes_file.stream(
                "person", context["changes"].shown, rows=len(context["changes"].shown), by=request.user
            )
        create = partial(edit_people.create, data, by=request.user)
        if is_confirmed(context["changes"], request.POST) and (person := edits.save_or_explain(form, create)):
            messages.success(request, f"{person} was added.")
            _warn_of_unknown_manager(request, person)
            return redirect(person)
    return render(request, "subscriptions/people/person_form.html", context)


def person_edit(request: SignedInRequest, pk: int) -> HttpResponseBase:
    """Change a person. The next import that has their employee number changes them again."""
    person = get_object_or_404(Person, pk=pk)
    form = PersonForm(request.POST or None, instance=person)
    context: dict[str, Any] = {"form": form, "person": person}
    if form.is_valid():
        most = shown_changes(request.POST)
        context["changes"] = edit_people.preview_save(person, form.cleaned_data, most=most)
        if DOWNLOAD in request.POST:
            return changes_file.stream(
                "person", context["changes"].shown, rows=len(context["changes"].shown), by=request.user
            )
        if is_confirmed(context["changes"], request.POST) and (changed := _save_change(request, pk, form)):
            return redirect(changed)
    person.refresh_from_db()
    return render(request, "subscriptions/people/person_form.html", context)


def _save_change(request: SignedInRequest, pk: int, form: PersonForm) -> Person | None:
    """The saved person, or None if somebody else was faster; the form says so then."""
    change = partial(edit_people.change, pk, form.cleaned_data, by=request.user)
    try:
        changed = edits.save_or_explain(form, change)
    except edits.EditConflict:
        explain_conflict.run(request, form, form.instance, "this person")
        return None
    if changed is None:
        return None
    messages.success(request, f"{changed} was saved.")
    _warn_of_unknown_manager(request, changed)
    return changed


def _warn_of_unknown_manager(request: SignedInRequest, person: Person) -> None:
    if directory.manager_unknown(person):
        messages.warning(request, f"Nobody in the directory has the manager’s employee number {person.manager}.")


def person_delete(request: SignedInRequest, pk: int) -> HttpResponseBase:
    """Delete a person after a confirmation that says what is deleted and what is kept."""
    person = get_object_or_404(_people_with_seats(), pk=pk)
    if request.method == "POST":
        try:
            edit_people.delete(person, by=request.user)
        except edit_people.HoldsRights as refused:
            messages.error(request, str(refused))
            return redirect(person)
        messages.success(request, f"{person} was deleted.")
        return redirect("person_list")
    by_hand = person.matches.filter(rule=None).count()
    changes = edit_people.preview_delete(person, most=shown_changes(request.GET))
    if DOWNLOAD in request.GET:
        return changes_file.stream("person", changes.shown, rows=len(changes.shown), by=request.user)
    context = {"person": person, "by_hand": by_hand, "changes": changes}
    return render(request, "subscriptions/people/person_delete.html", context)


def person_account(request: SignedInRequest, pk: int) -> HttpResponse:
    """Tie the person to their account here, by hand."""
    person = get_object_or_404(Person, pk=pk)
    form = PersonAccountForm(request.POST or None, person=person)
    if form.is_valid():
        try:
            tie_account.run(person, form.cleaned_data["account"], by=request.user)
        except tie_account.AccountTaken:
            form.add_error("account", "Somebody else was tied to this account meanwhile.")
        else:
            messages.success(request, f"The account of {person} was saved.")
            return redirect(person)
    return render(request, "subscriptions/people/person_account.html", {"person": person, "form": form})
