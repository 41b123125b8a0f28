"""The one page of the demo: moving its clock."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from samsaas import audit, schedule
from samsaas.demo import clock
from samsaas.lib.http import SEEN, STARTED, SignedInRequest
from samsaas.lib.local_path import read_local_path

BUSY = "A run is at work. Wait until it has ended, then move the clock."


def demo_later(request: SignedInRequest, days: int) -> HttpResponse:
    """It is a day or a week later, and the last night's refresh is requested."""
    running = clock.running()
    if running is None or days not in clock.STEPS:
        raise Http404
    try:
        running.move_on(days)
    except clock.RunAtWork:
        messages.error(request, BUSY)
    else:
        request.session[STARTED] = request.session[SEEN] = timezone.now().timestamp()
        audit.record(request.user, "moved the demo’s clock", None, days=days)
        schedule.start_missed(timezone.now())
        messages.success(request, f"It is {timezone.localtime():%A, %-d %B %Y, %H:%M} now.")
    return redirect(read_local_path(request.POST.get("back"), "/"))
