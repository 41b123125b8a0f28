"""Erase a person, and give out what is stored about them. For administrators, from the person's page."""

from __future__ import annotations

import re

from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from samsaas import audit
from samsaas.lib.http import SignedInRequest
from samsaas.personal_data import erase, export
from samsaas.personal_data.forms import EraseForm
from samsaas.reauthenticate import recent_password_required
from subscriptions.models import Person


@recent_password_required
def person_erase(request: SignedInRequest, pk: int) -> HttpResponse:
    """What would be deleted and what stays; then, after the number was typed, erase."""
    person = get_object_or_404(Person, pk=pk)
    form = EraseForm(request.POST or None, person=person)
    if form.is_valid():
        try:
            erase.run(pk, by=request.user, now=timezone.now())
        except erase.NotOver as obstacle:
            messages.error(request, str(obstacle))
            return redirect("person_erase", pk)
        messages.success(request, "The person was erased. The audit trail says what of them went.")
        return redirect("person_list")
    context = {"person": person, "form": form, "preview": erase.preview(person)}
    return render(request, "samsaas/personal_data/person_erase.html", context)


def person_data(request: SignedInRequest, pk: int) -> StreamingHttpResponse:
    """All that is stored about the person, as a file."""
    person = get_object_or_404(Person.objects.select_related("account"), pk=pk)
    audit.record(request.user, "exported", person, list="data about a person", rows=export.count(person))
    answer = StreamingHttpResponse(export.write(person, now=timezone.now()), content_type="application/json")
    name = re.sub(r"[^\w.-]+", "-", person.key, flags=re.ASCII).strip("-.") or str(pk)
    answer["Content-Disposition"] = f'attachment; filename="person-{name}.json"'
    return answer
