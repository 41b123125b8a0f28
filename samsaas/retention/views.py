"""The page of what is kept for how long, what is old now, and when it was last cleaned."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from profiles.models import JobRun
from samsaas.lib.http import SignedInRequest
from samsaas.retention import clean
from samsaas.retention.kinds import KINDS, Kind


@dataclass(frozen=True)
class Line:
    """A kind on the page: how many rows are over their period, how many of those stay, how many went last time."""

    kind: Kind
    old: int
    stay: int
    went: int | None


def retention(request: SignedInRequest) -> HttpResponse:
    """Every kind with its period and its rows."""
    runs = JobRun.objects.filter(process=clean.DELETE_OLD)
    last = runs.filter(state=JobRun.State.SUCCEEDED).first()
    now = timezone.now()
    context = {"lines": [_line(kind, last, now) for kind in KINDS], "last": last, "newest": runs.first()}
    return render(request, "samsaas/retention/retention.html", context)


def retention_run(request: SignedInRequest) -> HttpResponse:
    """Delete now what is old."""
    run, new = clean.start(by=request.user)
    messages.info(request, "Cleaning was started." if new else "It is being cleaned already.")
    return redirect(run or "retention")


def _line(kind: Kind, last: JobRun | None, now: datetime) -> Line:
    rows = [group.old(kind.before(now)) for group in kind.groups]
    free = [group.free(old, now).count() for group, old in zip(kind.groups, rows, strict=True)]
    old = sum(one.count() for one in rows)
    return Line(kind, old, old - sum(free), last.counters.get(kind.key) if last else None)
