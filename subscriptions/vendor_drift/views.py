"""The page of what the vendors count otherwise."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from profiles.models import IntegrationProfile
from profiles.models.alias import vendor_choices
from subscriptions.models import ModelResult
from subscriptions.vendor_drift import remedies
from subscriptions.vendor_drift.compare import Difference, compare


def vendor_drift(request: HttpRequest) -> HttpResponse:
    """Where use and rights differ from the vendors' own counts, since when, and what to do."""
    found = compare()
    names = _name_models(found.rights)
    context: dict[str, Any] = {"found": found}
    present = set(IntegrationProfile.objects.values_list("pk", flat=True))
    context["use"] = [
        {
            "one": one,
            "remedy": remedies.mend_use(one),
            "url": remedies.count_url(one),
            "is_there": one.key in present,
        }
        for one in found.use
    ]
    context["rights"] = [
        {"one": one, "remedy": remedies.mend_rights(one), "vendor": _name_vendor(one), "models": _describe(one, names)}
        for one in found.rights
    ]
    return render(request, "subscriptions/vendor_drift/vendor_drift.html", context)


def _name_models(found: list[Difference]) -> dict[int, ModelResult]:
    keys = {part.key for one in found for part in one.models}
    rows = ModelResult.objects.current().filter(software_model__in=keys)
    return {row.software_model_id or 0: row for row in rows}


def _describe(one: Difference, names: dict[int, ModelResult]) -> list[dict[str, Any]]:
    """The rights of every model, as far as it is still in the position."""
    return [{"model": names.get(part.key), "key": part.key, "owned": part.number} for part in one.models]


def _name_vendor(one: Difference) -> str:
    return dict(vendor_choices()).get(str(one.key), str(one.key))
