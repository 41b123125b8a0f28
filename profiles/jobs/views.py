"""Job results: all runs, one run with its live progress, cancel, and confirm a held one."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import F
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from profiles.jobs import chain, figures, queue, start
from profiles.jobs.filters import RunFilter
from profiles.jobs.tables import RunTable
from profiles.models import IntegrationProfile, JobRun
from samsaas import policy
from samsaas.lib import tables
from samsaas.lib.http import SignedInRequest
from samsaas.lib.local_path import read_local_path

STILL_ACTIVE = "This run is not over yet."
PROFILE_DELETED = "The profile of this run was deleted."
NOT_FROM_HERE = "This process is started from its own page."
ANSWERS_FOR = "profile_edit"  # who may open this page may read what a vendor answered, word for word


def run_list(request: SignedInRequest) -> HttpResponse:
    """Every run, of a profile or of none."""
    runs = JobRun.objects.annotate(took=F("finished_at") - F("started_at"))
    return render(request, "profiles/jobs/run_list.html", tables.listing(request, runs, RunTable, RunFilter))


def run_detail(request: SignedInRequest, pk: int) -> HttpResponse:
    """One run: trigger, progress, counters, warnings, and where it failed, why and what to do."""
    run = _get_run(pk)
    return render(request, "profiles/jobs/run_detail.html", _page_context(request, run))


def run_progress(request: SignedInRequest, pk: int) -> HttpResponse:
    """The part of the run page that changes while the run goes on, and between it and the next step of its chain."""
    run = _get_run(pk)
    brief = "brief" in request.GET
    if brief:
        context: dict[str, object] = {"run": run, "brief": True, "coming": _next_step(run)}
    else:
        context = _page_context(request, run) | {"swapped": True}
    answer = render(request, "profiles/jobs/run_progress.html", context)
    knows = "ended" in request.GET and context["coming"]
    if not run.is_active and not knows:
        answer["HX-Refresh"] = "true"  # the end changes the whole page: its actions, figures and notices
    return answer


def _page_context(request: SignedInRequest, run: JobRun) -> dict[str, object]:
    """Everything the page shows of a run, in the words of its process."""
    process = run.declared
    return {
        "run": run,
        "process": process,
        "success": process.describe_success(run),
        "ways_on": [way for way in process.ways_on(run) if policy.may(request.user, way.page)],
        "again": _can_start_again(run),
        "confirmable": start.can_confirm(run),
        "coming": _next_step(run),
        "ahead": chain.run_ahead(run),
        "behind": chain.run_behind(run),
        "shows_answer": policy.may(request.user, ANSWERS_FOR),
        "figures": figures.figures_of(run),
        "facts": figures.moments_of(run),
    }


def _next_step(run: JobRun) -> str:
    return chain.next_step_label(run, now=timezone.now())


def _get_run(pk: int) -> JobRun:
    related = ("profile__alias", "requested_by", "after", "followed_by")
    return get_object_or_404(JobRun.objects.select_related(*related).prefetch_related("checks__profile"), pk=pk)


def _can_start_again(run: JobRun) -> bool:
    """Whether the same process could run again now."""
    return run.profile is not None and not run.is_active and not start.refusal(run.profile, run.process)


@require_POST
def run_cancel(request: SignedInRequest, pk: int) -> HttpResponse:
    """Stop a run; what was published stays, what was not is dropped."""
    run = _get_run(pk)
    if queue.cancel(run, by=request.user):
        messages.success(request, "The run is being canceled. Its page says what it leaves behind.")
    else:
        messages.info(request, "The run was over already.")
    return redirect(run)


@require_POST
def run_confirm(request: SignedInRequest, pk: int) -> HttpResponse:
    """A person accepts that so many seats may end: the list is downloaded once more and published."""
    run = _get_run(pk)
    if not start.can_confirm(run):
        messages.info(request, "There is nothing to confirm any more.")
        return redirect(run)
    return _start_again(request, run, accept_drop=True, in_chain=True)


@require_POST
def run_again(request: SignedInRequest, pk: int) -> HttpResponse:
    """The same process once more; what followed the first time follows again."""
    run = _get_run(pk)
    if run.profile is None or run.is_active:
        messages.info(request, _why_not_again(run))
        return redirect(run)
    return _start_again(request, run, in_chain=run.in_chain)


def _why_not_again(run: JobRun) -> str:
    if run.is_active:
        return STILL_ACTIVE
    if run.is_orphan:
        return PROFILE_DELETED
    return run.declared.start_elsewhere or NOT_FROM_HERE


def _start_again(request: SignedInRequest, run: JobRun, **how: bool) -> HttpResponse:
    if run.profile is None:
        return redirect(run)
    try:
        again, fresh = start.run(run.profile, run.process, by=request.user, **how)
    except start.NotReady as reason:
        messages.error(request, str(reason))
        return redirect(run)
    if not fresh:
        messages.info(request, "A run of this process is under way; try again when it has ended.")
    return redirect(again or run)


def start_run(request: SignedInRequest, pk: int, process: str, *, stay: bool = False) -> HttpResponse:
    """Ask for a run and show it; a second press leads to the run that is already under way.

    A page that shows the progress itself names itself in `next`, and stays.
    """
    profile = get_object_or_404(IntegrationProfile.objects.select_related("alias"), pk=pk)
    place = read_local_path(request.POST.get("next"))
    try:
        run, fresh = start.run(profile, process, by=request.user)
    except start.NotReady as reason:
        messages.error(request, str(reason))
        return redirect(place or profile)
    if not fresh:
        messages.info(request, "A run of this process is under way already.")
    return redirect(place or (profile if stay or run is None else run))
