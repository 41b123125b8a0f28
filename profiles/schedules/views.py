"""Pages of a profile's scheduled jobs: their time, pause and resume, run now."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from profiles import process_rows
from profiles.jobs.views import start_run
from profiles.models import ScheduledJob
from profiles.schedules import edit as edit_schedule
from profiles.schedules.forms import ScheduleForm
from samsaas import explain_conflict
from samsaas.lib import edits
from samsaas.lib.http import SignedInRequest
from samsaas.lib.local_path import read_local_path


def scheduled_job_edit(request: SignedInRequest, pk: int) -> HttpResponse:
    """Edit when the download runs. The activity pull follows it and has no time of its own; the page says so."""
    job = _get_job(pk)
    leads = job.process == ScheduledJob.Process.DOWNLOAD
    form = ScheduleForm(request.POST or None, instance=job) if leads else None
    if form and form.is_valid():
        try:
            edit_schedule.change(pk, form.cleaned_data, by=request.user)
        except edits.EditConflict:
            explain_conflict.run(request, form, job, "this job")
        else:
            messages.success(request, f"{job} was saved.")
            return redirect(job.profile.jobs_url)
    context = {"job": _get_job(pk), "form": form, "origin": process_rows.time_origin(job)}
    return render(request, "profiles/schedules/scheduled_job_form.html", context)


@require_POST
def scheduled_job_pause(request: SignedInRequest, pk: int) -> HttpResponse:
    """Pause, or with paused=0 resume."""
    _get_job(pk)
    paused = request.POST.get("paused", "1") != "0"
    job = edit_schedule.pause(pk, paused=paused, by=request.user)
    messages.success(request, f"{job} is paused." if paused else f"{job} runs daily again.")
    return redirect(read_local_path(request.POST.get("next"), job.profile.get_absolute_url()))


@require_POST
def scheduled_job_run(request: SignedInRequest, pk: int) -> HttpResponse:
    """Run the job's process now, whether or not it is paused."""
    job = _get_job(pk)
    return start_run(request, job.profile_id, job.process)


def _get_job(pk: int) -> ScheduledJob:
    return get_object_or_404(ScheduledJob.objects.select_related("profile__alias__parent"), pk=pk)
