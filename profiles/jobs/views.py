"""Job results: all runs, one run with its live progress, cancel, and confirm a held one."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import F
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from profiles.jobs import chain, counters, queue, start as run_now
from profiles.jobs.filters import RunFilter
from profiles.jobs.tables import RunTable
from profiles.models import IntegrationProfile, JobRun
from samsaas.lib import tables
from samsaas.lib.http import SignedInRequest

ON_STILL = "This run goes on still."
GONE = "The profile of this run is gone."
FROM_ITS_PAGE = "A file of people is read or applied from its own page."


def run_list(request: SignedInRequest) -> HttpResponse:
    """Every run, of a profile or of none."""
    runs = JobRun.objects.annotate(took=F("finished_at") - F("started_at"))
    return render(request, "profiles/jobs/run_list.html", tables.listing(request, runs, RunTable, RunFilter))


def run_detail(request: SignedInRequest, pk: int) -> HttpResponse:
    """One run: trigger, progress, counters, warnings, and where it failed, why and what to do."""
    run = _run(pk)
    return render(request, "profiles/jobs/run_detail.html", _told(run) | {"again": _again(run)})


def run_progress(request: SignedInRequest, pk: int) -> HttpResponse:
    """The part of the run page that changes while the run goes on, and between it and the next step of its chain."""
    run = _run(pk)
    brief = "brief" in request.GET
    context = {"run": run, "brief": True, "coming": _coming(run)} if brief else _told(run) | {"swapped": True}
    answer = render(request, "profiles/jobs/run_progress.html", context)
    knows = "ended" in request.GET and context["coming"]
    if not run.is_active and not knows:
        answer["HX-Refresh"] = "true"  # the end changes the whole page: its actions, figures and notices
    return answer


def _told(run: JobRun) -> dict[str, object]:
    """What the page says of a run."""
    figures = {"tally": counters.of(run), "facts": counters.facts(run)}
    return {"run": run, "coming": _coming(run), "ahead": chain.ahead(run), "behind": chain.behind(run), **figures}


def _coming(run: JobRun) -> str:
    return chain.to_come(run, now=timezone.now())


def _run(pk: int) -> JobRun:
    related = ("profile__alias", "requested_by", "after", "followed_by")
    return get_object_or_404(JobRun.objects.select_related(*related).prefetch_related("checks"), pk=pk)


def _again(run: JobRun) -> bool:
    """Whether the same process could run again now."""
    return run.profile is not None and not run.is_active and not run_now.refusal(run.profile, run.process)


@require_POST
def run_cancel(request: SignedInRequest, pk: int) -> HttpResponse:
    """Stop a run; what was published stays, what was not is dropped."""
    run = _run(pk)
    if queue.cancel(run, by=request.user):
        messages.success(request, "The run is being canceled. The previous data stays as it is.")
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
    return _start(request, run, accept_drop=True, in_chain=True)


@require_POST
def run_again(request: SignedInRequest, pk: int) -> HttpResponse:
    """The same process once more; what followed the first time follows again."""
    run = _run(pk)
    if run.profile is None or run.is_active:
        messages.info(request, ON_STILL if run.is_active else GONE if run.is_orphan else FROM_ITS_PAGE)
        return redirect(run)
    return _start(request, run, in_chain=run.in_chain)


def _start(request: SignedInRequest, run: JobRun, **how: bool) -> HttpResponse:
    if run.profile is None:
        return redirect(run)
    try:
        again, fresh = run_now.run(run.profile, run.process, by=request.user, **how)
    except run_now.NotReady as reason:
        messages.error(request, str(reason))
        return redirect(run)
    if not fresh:
        messages.info(request, "A run of this process is under way; try again when it has ended.")
    return redirect(again or run)


def start_run(request: SignedInRequest, pk: int, process: str, *, stay: bool = False) -> HttpResponse:
    """Ask for a run and show it; a second press leads to the run that is already under way."""
    profile = get_object_or_404(IntegrationProfile.objects.select_related("alias"), pk=pk)
    try:
        run, fresh = run_now.run(profile, process, by=request.user)
    except run_now.NotReady as reason:
        messages.error(request, str(reason))
        return redirect(profile)
    if not fresh:
        messages.info(request, "A run of this process is under way already.")
    return redirect(profile if stay or run is None else run)
