"""Pages of reports, and the public page by which a recipient stops one."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from samsaas.accounts.links import counted
from samsaas.lib import edits, tables
from samsaas.lib.http import SignedInRequest
from samsaas.models import MailedReport
from samsaas.reports import edit, recipients, send
from samsaas.reports.figures import NothingYet
from samsaas.reports.forms import ReportForm
from samsaas.reports.tables import ReportTable

FORM = "samsaas/reports/report_form.html"


def report_list(request: SignedInRequest) -> HttpResponse:
    """All reports, with the number of addresses that get them."""
    wanted = Count("recipients", filter=Q(recipients__stopped_at=None))
    context = tables.listing(request, MailedReport.objects.annotate(people=wanted), ReportTable)
    return render(request, "samsaas/reports/report_list.html", context)


def report_new(request: SignedInRequest) -> HttpResponse:
    """A new report."""
    form = ReportForm(request.POST or None)
    if form.is_valid():
        made = edits.save_or_explain(form, lambda: edit.create(form.cleaned_data, by=request.user, now=timezone.now()))
        if made:
            messages.success(request, f"{made} was created.")
            return redirect(made)
    return render(request, FORM, {"form": form})


def report_detail(request: SignedInRequest, pk: int) -> HttpResponse:
    """One report: when it is sent, to whom, and what became of the last mails."""
    report = get_object_or_404(MailedReport, pk=pk)
    context = {"report": report, "recipients": send.list_recipients(report)}
    return render(request, "samsaas/reports/report_detail.html", context)


def report_edit(request: SignedInRequest, pk: int) -> HttpResponse:
    """Change a report and its recipients."""
    report = get_object_or_404(MailedReport, pk=pk)
    form = ReportForm(request.POST or None, instance=report)
    if form.is_valid():
        change = edits.save_or_explain(
            form, lambda: edit.change(pk, form.cleaned_data, by=request.user, now=timezone.now())
        )
        if change:
            messages.success(request, f"{change} was saved.")
            return redirect(change)
    return render(request, FORM, {"form": form, "report": report})


def report_test(request: SignedInRequest, pk: int) -> HttpResponse:
    """Send it to whoever presses the button."""
    report = get_object_or_404(MailedReport, pk=pk)
    try:
        mail = send.send_test(report, by=request.user, now=timezone.now())
    except NothingYet as reason:
        messages.error(request, str(reason))
    else:
        messages.success(request, f"A test for {mail.to} is in the outbox and is sent within a minute.")
    return redirect(report)


def report_delete(request: SignedInRequest, pk: int) -> HttpResponse:
    """Delete a report after a confirmation."""
    report = get_object_or_404(MailedReport, pk=pk)
    if request.method == "POST":
        edit.delete(report, by=request.user)
        messages.success(request, "The report was deleted.")
        return redirect("report_list")
    return render(request, "samsaas/reports/report_delete.html", {"report": report})


@csrf_exempt
@counted
def report_stop(request: HttpRequest, token: str) -> HttpResponse:
    """The recipient's own page: stop the report. Looking changes nothing, because mail programs open links.

    The link is the secret: mail programs press the button themselves, without a session, and without a token of a form.
    """
    recipient = recipients.find(token)
    if recipient is None:
        return render(request, "samsaas/accounts/link_over.html", status=404)
    if request.method == "POST":
        recipients.stop(recipient, timezone.now())
        recipient.refresh_from_db()
    return render(request, "samsaas/reports/report_stop.html", {"recipient": recipient})
