"""Job results: all runs, one run with its live progress, cancel, and confirm a held one."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from profiles import queue, tally
from profiles.filters import RunFilter
from profiles.models import JobRun
from profiles.tables import RunTable
from samsaas.lib import tables
from samsaas.lib.http import SignedInRequest


def run_list(request: SignedInRequest) -> HttpResponse:
    """Every run of every profile."""
    return render(request, "profiles/run_list.html", tables.listing(request, JobRun.objects.all(), RunTable, RunFilter))


def run_detail(request: SignedInRequest, pk: int) -> HttpResponse:
    """One run: trigger, progress, counters, warnings, and where it failed, why and what to do."""
    run = _run(pk)
    return render(request, "profiles/run_detail.html", {"run": run, "tally": tally.of(run)})


def run_progress(request: SignedInRequest, pk: int) -> HttpResponse:
    """The part of the run page that changes while the run goes on."""
    run = _run(pk)
    brief = "brief" in request.GET
    context = {"run": run, "brief": brief, "tally": [] if brief else tally.of(run)}
    answer = render(request, "profiles/partials/run_progress.html", context)
    if not run.is_active:
        answer["HX-Refresh"] = "true"  # the end changes the whole page: its actions, figures and notices
    return answer


def _run(pk: int) -> JobRun:
    return get_object_or_404(JobRun.objects.select_related("profile", "requested_by"), pk=pk)


@require_POST
def run_cancel(request: SignedInRequest, pk: int) -> HttpResponse:
    """Stop a run; what was published stays, what was not is dropped."""
    run = _run(pk)
    if queue.cancel(run, by=request.user):
        messages.success(request, "The run is being cancelled. The previous data stays as it is.")
    else:
        messages.info(request, "The run was over already.")
    return redirect(run)


@require_POST
def run_confirm(request: SignedInRequest, pk: int) -> HttpResponse:
    """A person accepts that so many seats may end: the list is downloaded once more and published."""
    run = _run(pk)
    if run.profile is None or run.state != JobRun.State.HELD:
        messages.info(request, "There is nothing to confirm any more.")
        return redirect(run)
    again, fresh = queue.request(
        run.profile, run.process, trigger=JobRun.Trigger.MANUAL, by=request.user, accept_drop=True
    )
    if not fresh:
        messages.info(request, "A run of this profile is under way; confirm again when it has ended.")
    return redirect(again or run)
