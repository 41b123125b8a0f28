"""Pages of renewals: the list, the month, one with its advice and what was asked of the vendor, and the draft."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from samsaas.lib import tables
from samsaas.lib.http import SignedInRequest
from subscriptions.entitlements import allocate, edit, words as entitlement_words
from subscriptions.entitlements.check import existing_renewal
from subscriptions.entitlements.recording.forms import EntitlementForm
from subscriptions.entitlements.recording.store import save_draft
from subscriptions.entitlements.renewals import Renewal
from subscriptions.models import Allocation, Entitlement, RenewalReminder
from subscriptions.renewals import figures, month, recommend, rows, words
from subscriptions.renewals.filters import RenewalFilter
from subscriptions.renewals.forms import ReductionForm
from subscriptions.renewals.tables import RenewalTable

FORM = "subscriptions/entitlements/entitlement_form.html"
SHOWN_REMINDERS = 20


def renewals(request: HttpRequest) -> HttpResponse:
    """What is to be renewed, overdue first, as a list or as a month."""
    today, book = timezone.localdate(), recommend.read_book()
    chosen = RenewalFilter(request.GET, queryset=Entitlement.objects.published(), request=request)
    context: dict[str, Any] = {"filter": chosen, "chips": tables.filter_chips(request, chosen), "today": today}
    context |= {"problems": chosen.problems(), "clear_url": request.path, "kept_parameters": []}
    context |= figures.describe_position(book, today)
    if request.GET.get("view") == "month":
        context |= _describe_month(request, chosen, today)
        return render(request, "subscriptions/renewals/renewal_month.html", context)
    found = rows.make_rows(recommend.list_renewals(today, horizon=chosen.days, headroom=chosen.spare, book=book), today)
    kept = _narrow(found, chosen)
    table = RenewalTable(kept, totals=rows.add_up(kept))
    table.request = request
    if asked := [alias for alias in request.GET.getlist("sort") if alias.lstrip("-") in table.columns.names()]:
        table.order_by = asked
    context["problems"] += tables.paginate(table, request, Paginator(table.rows, tables.page_size(request)))
    context |= {"table": table, "totals": table.totals, "overdue": [row for row in found if row.is_overdue]}
    context["kept_parameters"] = [(name, request.GET[name]) for name in ("sort", "per_page") if request.GET.get(name)]
    return render(request, "subscriptions/renewals/renewal_list.html", context)


def _narrow(found: list[rows.RenewalRow], chosen: RenewalFilter) -> list[rows.RenewalRow]:
    keys = set(chosen.qs.order_by().values_list("pk", flat=True))
    urgency = chosen.urgency_chosen
    return [row for row in found if row.entitlement.pk in keys and urgency in ("", row.urgency)]


def _describe_month(request: HttpRequest, chosen: RenewalFilter, today: date) -> dict[str, Any]:
    chosen.form.fields.pop("horizon")  # the month says what is near enough
    first = month.read_month(request.GET.get("month", ""), today)
    reach = abs((first - today).days) + recommend.LONGEST_NOTICE
    found = rows.make_rows(recommend.list_renewals(today, horizon=reach, headroom=chosen.spare), today)
    kept = [("view", "month"), ("month", month.write_month(first.year, first.month))]
    others = request.GET.copy()
    others.pop("month", None)
    return {
        "month": month.make_month(first, _narrow(found, chosen), today),
        "month_query": f"{others.urlencode()}&",
        "kept_parameters": kept,
    }


def renewal_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """How the recommended number of one renewal comes about, what was asked of the vendor, and what to do."""
    return _show(request, _get(pk))


def renewal_ask(request: SignedInRequest, pk: int) -> HttpResponse:
    """Note that the vendor was asked for a reduction, or take that note back."""
    one = _get(pk)
    now = timezone.now()
    if request.POST.get("go") == "back":
        return _take_back(request, one)
    form = ReductionForm(request.POST)
    if not form.is_valid():
        return _show(request, one, form)
    try:
        edit.note_reduction(one, form.cleaned_data["rights"], form.cleaned_data["on"], by=request.user, now=now)
    except ValidationError as problem:
        form.take_errors(problem)
        return _show(request, one, form)
    messages.success(request, f"Noted. No further reminder of {one.number} is sent.")
    return redirect("renewal_detail", pk)


def _take_back(request: SignedInRequest, one: Entitlement) -> HttpResponse:
    try:
        edit.drop_reduction(one, by=request.user, now=timezone.now())
    except ValidationError as problem:
        messages.error(request, " ".join(problem.messages))
    else:
        messages.success(request, "The note was taken back. Reminders go on.")
    return redirect("renewal_detail", one.pk)


def _get(pk: int) -> Entitlement:
    """A published entitlement that ends. Others have no renewal."""
    one = get_object_or_404(Entitlement.objects.published().select_related("software_model"), pk=pk)
    if one.end is None:
        raise Http404
    return one


def _show(request: HttpRequest, one: Entitlement, form: ReductionForm | None = None) -> HttpResponse:
    chosen = RenewalFilter(request.GET, queryset=Entitlement.objects.none(), request=request)
    advice = recommend.rights_for(one, now=timezone.now(), headroom=chosen.spare)
    if form is None:
        form = ReductionForm(initial={"rights": advice.recommended if advice else None, "on": timezone.localdate()})
    reminders = RenewalReminder.objects.filter(entitlement=one).select_related("account", "mail")
    context: dict[str, Any] = {
        "one": one,
        "advice": advice,
        "renewal": existing_renewal(one),
        "form": form,
        "refusal": edit.why_no_reduction(one),
        "reminders": reminders[:SHOWN_REMINDERS],
    }
    context |= _explain(one, advice, chosen.spare)
    return render(request, "subscriptions/renewals/renewal_detail.html", context)


def _explain(one: Entitlement, advice: Renewal | None, headroom: int) -> dict[str, Any]:
    """How the number comes about, or why there is none."""
    today = timezone.localdate()
    known = recommend.read_figures([one.software_model_id]).get(one.software_model_id)
    if advice is None:
        return {"silence": figures.why_no_advice(one, known, today)}
    return {
        "row": rows.RenewalRow(advice, rows.judge(advice, today)),
        "terms": words.explain(advice, known, headroom=headroom),
        "price": words.write_price_of(advice),
    }


def entitlement_renew(request: SignedInRequest, pk: int) -> HttpResponse:
    """A renewal as a draft: linked, with dates, the recommended rights, and the allocations if that is ticked.

    `?as=same` has the rights of the old one: it renewed itself.
    """
    one = get_object_or_404(Entitlement.objects.select_related("software_model"), pk=pk)
    advice = recommend.rights_for(one, now=timezone.now())
    as_it_was = request.GET.get("as") == "same"
    try:
        if refusal := _why_no_renewal(one):
            raise ValidationError(refusal)
        draft = edit.draft_renewal(one, recommended=advice.recommended if advice and not as_it_was else None)
    except ValidationError as problem:
        messages.error(request, " ".join(problem.messages))
        return redirect(one)
    form = EntitlementForm(request.POST or None, instance=draft)
    if form.is_valid() and (saved := save_draft(request, form)):
        _carry_allocations(request, one, saved)
        return redirect(saved)
    held = Allocation.objects.open().filter(entitlement=one).count()
    context = {"form": form, "renewed": one, "advice": None if as_it_was else advice, "held": held}
    return render(request, FORM, context)


def _why_no_renewal(one: Entitlement) -> str:
    if one.is_draft:
        return f"{one.number} is a draft. Publish it first."
    if one.end is None:
        return f"{one.number} goes on without an end, so there is nothing to renew."
    taken = existing_renewal(one)
    return f"{one.number} has a renewal already: {taken.number}." if taken else ""


def _carry_allocations(request: SignedInRequest, before: Entitlement, after: Entitlement) -> None:
    if "carry" not in request.POST or after.renews_id != before.pk:
        return
    try:
        moved, left = allocate.carry_over(before, after, by=request.user, now=timezone.now())
    except ValidationError as problem:
        messages.warning(request, " ".join(problem.messages))
        return
    messages.success(request, entitlement_words.write_carried(moved, left, after))
