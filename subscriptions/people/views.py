"""The directory of people: the list, one person, and changing them by hand."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from samsaas.lib import edits, tables
from samsaas.lib.http import SignedInRequest
from subscriptions.models import Person
from subscriptions.people import directory, edit as edit_people
from subscriptions.people.filters import PersonFilter
from subscriptions.people.forms import PersonForm
from subscriptions.people.tables import PersonTable


def person_list(request: SignedInRequest) -> HttpResponse:
    """Everybody the directory knows."""
    context = tables.listing(request, directory.people(), PersonTable, PersonFilter)
    return render(request, "subscriptions/people/person_list.html", context)


def person_detail(request: SignedInRequest, pk: int) -> HttpResponse:
    """One person: their data, addresses, seats, manager and reports."""
    person = get_object_or_404(directory.people(), pk=pk)
    context = {"person": person, "seats": directory.seats_of(person), **directory.around(person)}
    return render(request, "subscriptions/people/person_detail.html", context)


def person_create(request: SignedInRequest) -> HttpResponse:
    """A person who is in no file."""
    form = PersonForm(request.POST or None)
    if form.is_valid():
        person = edit_people.create(form.cleaned_data, by=request.user)
        messages.success(request, f"{person} was added.")
        _warn(request, person)
        return redirect(person)
    return render(request, "subscriptions/people/person_form.html", {"form": form})


def person_edit(request: SignedInRequest, pk: int) -> HttpResponse:
    """Change a person; the next import by their number changes them again."""
    person = get_object_or_404(Person, pk=pk)
    form = PersonForm(request.POST or None, instance=person)
    if form.is_valid():
        try:
            changed = edit_people.change(pk, form.cleaned_data, by=request.user)
        except edits.EditConflict:
            form.add_error(None, "Somebody else changed this person meanwhile. Open the form again and repeat it.")
        else:
            messages.success(request, f"{changed} was saved.")
            _warn(request, changed)
            return redirect(changed)
    person.refresh_from_db()
    return render(request, "subscriptions/people/person_form.html", {"form": form, "person": person})


def _warn(request: SignedInRequest, person: Person) -> None:
    if directory.manager_unknown(person):
        messages.warning(request, f"Nobody in the directory has the manager’s employee number, {person.manager}.")


def person_delete(request: SignedInRequest, pk: int) -> HttpResponse:
    """A confirmation that says what goes and what stays."""
    person = get_object_or_404(directory.people(), pk=pk)
    if request.method == "POST":
        edit_people.delete(person, by=request.user)
        messages.success(request, f"{person} was deleted.")
        return redirect("person_list")
    by_hand = person.matches.filter(rule=None).count()
    return render(request, "subscriptions/people/person_delete.html", {"person": person, "by_hand": by_hand})
