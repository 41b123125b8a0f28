"""Pages of removals: confirming a batch, deciding on one, removals under way, undoing, files, and the switch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from reclamation import workflow
from reclamation.asking import approvers
from reclamation.models import ReclamationSwitch, RemovalAttempt, RemovalBatch, RemovalCandidate
from reclamation.removal import (
    batches,
    decide,
    destination,
    limits,
    move,
    move_queue,
    plan,
    regret,
    restore,
    start,
    switch,
)
from reclamation.removal.chosen import MOST, forget, read_chosen
from reclamation.removal.filters import AttemptFilter, BatchFilter
from reclamation.removal.forms import BatchForm, CloseByHandForm, DecideForm, MoveForm, RestoreForm, SwitchForm
from reclamation.removal.tables import AttemptTable, BatchTable
from reclamation.selection import SelectionGone
from samsaas.lib import tables
from samsaas.lib.http import SignedInRequest
from samsaas.lib.person_zone import describe_moment
from samsaas.lib.sight import limit_rows, seen_by
from samsaas.reauthenticate import recent_password_required

RELATED = ("candidate__rule", "candidate__rule_version", "batch", "profile__alias__parent", "restored_by")
SAID = 5
MOST_QUEUES = 10
NOTHING = "None of these candidates can be reclaimed now: only those that are Ready and in no batch."


def batch_confirm(request: SignedInRequest) -> HttpResponse:
    """Show what a press of Reclaim would do with the chosen candidates, and do it when that is confirmed."""
    try:
        chosen = read_chosen(request)
    except SelectionGone as gone:
        messages.error(request, str(gone))
        return redirect("candidate_list")
    plans = plan.make(chosen.keys, now=timezone.now())
    if not plans:
        messages.info(request, NOTHING)
        return redirect("candidate_list")
    confirmed = ("confirm" in request.POST or "dry_run" in request.POST) and not chosen.change
    form = BatchForm(request.POST if confirmed else None, plans=plans)
    if confirmed and ("dry_run" in request.POST or form.is_valid()):
        ticks = form.ticks if form.is_valid() else batches.Ticks(legal_hold=True, evidence=True)
        return _make_batches(request, plans, ticks, dry_run="dry_run" in request.POST)
    left_out = len(chosen.keys) - form.size
    context = {"plans": plans, "form": form, "chosen": chosen, "left_out": left_out, "size": form.size}
    context |= {"lonely": plan.without_approver(plans, request.user), "nobody": approvers.NOBODY}
    return render(request, "reclamation/removal/batch_confirm.html", context)


def _make_batches(
    request: SignedInRequest, plans: list[plan.Plan], ticks: batches.Ticks, *, dry_run: bool
) -> HttpResponse:
    made = None
    for one in plans:
        try:
            made = batches.make(list(one.ready), by=request.user, now=timezone.now(), ticks=ticks, dry_run=dry_run)
        except batches.BatchRefused as refused:
            messages.error(request, _refusal(refused))
        else:
            messages.success(request, _made(made))
            _say_who_left(request, made)
    if made and not dry_run:
        forget(request)
    return redirect("batch_detail", made.pk) if made else redirect("candidate_list")


def _say_who_left(request: HttpRequest, batch: RemovalBatch) -> None:
    """Which candidates could not go on, and why: the page of the batch names all of them."""
    gone = batches.left_out(batch)
    for number, reason in gone[:SAID]:
        messages.warning(request, f"{number} left the batch: {reason}")
    if len(gone) > SAID:
        messages.warning(request, f"{len(gone) - SAID:,} more left the batch. The reasons stand below.")


def _refusal(refused: batches.BatchRefused) -> str:
    if refused.rest_at is None:
        return str(refused)
    return f"{refused} All of them are possible from {describe_moment(refused.rest_at)}."


def _made(batch: RemovalBatch) -> str:
    if batch.dry_run:
        return f"{batch}: a dry run. Nothing is called; the decisions appear below."
    if batch.state == RemovalBatch.State.QUARANTINED:
        return f"{batch} waits for a second person. Nobody was asked, and nothing was removed."
    size = batch.size - len(batches.left_out(batch))
    return f"{batch} goes on with {size:,} subscription{'' if size == 1 else 's'}."


def batch_list(request: HttpRequest) -> HttpResponse:
    """What was reclaimed, and what waits for a second person."""
    rows = RemovalBatch.objects.select_related("requested_by", "decided_by")
    return render(
        request, "reclamation/removal/batch_list.html", tables.listing(request, rows, BatchTable, BatchFilter)
    )


def batch_detail(request: SignedInRequest, pk: int) -> HttpResponse:
    """One batch: its candidates with what became of them, its limits, and the decision of a second person."""
    related = ("requested_by", "decided_by", "profile__alias__parent")
    batch = get_object_or_404(RemovalBatch.objects.select_related(*related), pk=pk)
    waits, now = batch.state == RemovalBatch.State.QUARANTINED, timezone.now()
    figures = limits.figures_for(batch.profile, now=now) if batch.profile else None
    real = Prefetch("attempts", RemovalAttempt.objects.filter(dry_run=False).order_by("-pk"))
    context: dict[str, Any] = {
        "batch": batch,
        "figures": figures,
        "plan": plan.of_batch(batch, figures, now=now) if waits and figures else None,
        "candidates": batch.candidates.select_related("rule").prefetch_related(real, "history").order_by("pk")[:MOST],
        "attempts": batch.attempts.select_related("candidate").order_by("pk")[:MOST] if batch.dry_run else (),
        "is_own": batch.requested_by_id == request.user.pk,
        "waits": waits,
    }
    return render(request, "reclamation/removal/batch_detail.html", context)


@require_POST
@recent_password_required
def batch_decide(request: SignedInRequest, pk: int) -> HttpResponse:
    """Let a batch that waits go on, or reject it."""
    batch = get_object_or_404(RemovalBatch, pk=pk)
    form = DecideForm(request.POST)
    if form.is_valid():
        try:
            yes = form.cleaned_data["approve"] == "yes"
            decided = batches.decide(batch.pk, approve=yes, by=request.user, now=timezone.now())
        except batches.BatchRefused as refused:
            messages.error(request, _refusal(refused))
        else:
            messages.success(request, f"{batch} goes on." if yes else f"{batch} was rejected; nobody is removed.")
            _say_who_left(request, decided)
    return redirect("batch_detail", pk)


def attempt_list(request: HttpRequest) -> HttpResponse:
    """Removals that are not over: restorable ones with their days left, moves, lost answers, and those for a person."""
    rows = RemovalAttempt.objects.select_related("candidate")
    context, now = tables.listing(request, rows, AttemptTable, AttemptFilter), timezone.now()
    context["alarms"] = limit_rows(request, regret.open_alarms())[:20]
    if seen_by(request) is None:  # these are of all teams
        context |= {"gap": limits.check_to_call_figures(now=now), "queues": move_queue.find_all(now=now)[:MOST_QUEUES]}
    return render(request, "reclamation/removal/attempt_list.html", context)


@require_POST
def attempt_look(request: SignedInRequest, pk: int) -> HttpResponse:
    """Have the member of an attempt that needs a person looked at."""
    attempt = _attempt(pk)
    return _act(request, attempt, lambda: decide.ask_look(attempt, by=request.user, now=timezone.now()), LOOKING)


def attempt_restore(request: SignedInRequest, pk: int) -> HttpResponse:
    """Ask, then restore a removed member."""
    attempt, form = _attempt(pk), RestoreForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        until = form.cleaned_data["keep_until"]
        return _act(request, attempt, lambda: _restore(attempt, request, until), RESTORING)
    return render(request, "reclamation/removal/attempt_restore.html", {"attempt": attempt, "form": form})


def _restore(attempt: RemovalAttempt, request: SignedInRequest, until: Any) -> None:
    restore.request(attempt, by=request.user, now=timezone.now(), keep_until=until)
    _request_run(attempt, request)


def attempt_move(request: SignedInRequest, pk: int) -> HttpResponse:
    """Ask, then end the undo window and have the files moved now."""
    attempt = _attempt(pk)
    if request.method == "POST":
        return _act(request, attempt, lambda: _move_now(attempt, request), MOVING)
    context = {"attempt": attempt, "queue": move_queue.find_of(attempt, now=timezone.now())}
    return render(request, "reclamation/removal/attempt_move.html", context)


def _move_now(attempt: RemovalAttempt, request: SignedInRequest) -> None:
    move.request_now(attempt, by=request.user, now=timezone.now())
    _request_run(attempt, request)


def attempt_decide(request: SignedInRequest, pk: int) -> HttpResponse:
    """What a person decides about an attempt that needs one: again, files to another account, or closed by hand."""
    attempt, now = _attempt(pk), timezone.now()
    choice = request.POST.get("choice", "")
    forms = {"move": MoveForm, "close": CloseByHandForm}
    form = forms[choice](request.POST) if choice in forms else None
    if request.method == "POST" and (form is None or form.is_valid()):
        values = form.cleaned_data if form else {}
        return _act(request, attempt, lambda: _decide(attempt, choice, values, request), DECIDED)
    context = {
        "attempt": attempt,
        "seen": decide.last_look(attempt, now=now),
        "choices": decide.choices(attempt, now=now),
        "move_form": form if choice == "move" else MoveForm(initial=_fallback(attempt)),
        "close_form": form if choice == "close" else CloseByHandForm(),
    }
    return render(request, "reclamation/removal/attempt_decide.html", context)


def _fallback(attempt: RemovalAttempt) -> dict[str, str]:
    """The administrator who connected, to whom files go where nothing else is chosen."""
    return {"external_id": destination.connected_admin(attempt.profile)}


def _decide(attempt: RemovalAttempt, choice: str, values: dict[str, Any], request: SignedInRequest) -> None:
    given: dict[str, Any] = {"by": request.user, "now": timezone.now()}
    if choice == "again":
        decide.try_again(attempt, **given)
    elif choice == "move":
        decide.move_to(attempt, values["external_id"], **given)
    elif choice == "close":
        decide.close_by_hand(attempt, note=values["note"], **given)
    else:
        raise decide.DecisionRefused("Choose what is to be done.")


def candidate_resume(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show what the gate would say, then take a person's word that what needed attention is over: Ready again."""
    related = ("rule", "rule_version__rule", "profile", "batch", "subscription")
    candidate = get_object_or_404(RemovalCandidate.objects.select_related(*related), pk=pk)
    if request.method == "GET":
        return render(request, "reclamation/removal/candidate_resume.html", {"candidate": candidate})
    try:
        workflow.make_ready(candidate, reason="Resumed by a person.", by=request.user, now=timezone.now())
    except workflow.NotAllowed:
        messages.error(request, f"{candidate.number} cannot be resumed: decide on its removal first.")
    else:
        messages.success(request, f"{candidate.number} is Ready. Press Reclaim to go on.")
    return redirect(candidate)


def removal_switch(request: SignedInRequest) -> HttpResponse:
    """Whether removals are paused, by whom and why; and pausing them."""
    form = SwitchForm(request.POST or None)
    if form.is_valid():
        values = form.cleaned_data
        switch.pause(values["profile"], reason=values["reason"], by=request.user, now=timezone.now())
        messages.success(request, "Removals are paused. The call that may be under way ends; no further one is made.")
        return redirect("removal_switch")
    rows = ReclamationSwitch.objects.select_related("profile", "by").order_by("profile_id")
    return render(request, "reclamation/removal/switch.html", {"form": form, "rows": rows})


@require_POST
@recent_password_required
def removal_switch_on(request: SignedInRequest) -> HttpResponse:
    """Let removals go on."""
    form = SwitchForm(request.POST)
    if form.is_valid():
        values = form.cleaned_data
        switch.go_on(values["profile"], reason=values["reason"], by=request.user, now=timezone.now())
        messages.success(request, "Removals go on.")
    else:
        messages.error(request, "Nothing was changed: give a reason.")
    return redirect("removal_switch")


def _attempt(pk: int) -> RemovalAttempt:
    return get_object_or_404(RemovalAttempt.objects.select_related(*RELATED), pk=pk)


def _request_run(attempt: RemovalAttempt, request: SignedInRequest) -> None:
    if attempt.profile:
        start.request_run(attempt.profile, by=request.user)


def _act(request: SignedInRequest, attempt: RemovalAttempt, act: Callable[[], None], done: str) -> HttpResponse:
    """Do what was asked and say so, or say why not, on the page of the candidate."""
    try:
        act()
    except (decide.DecisionRefused, restore.NotRestorable, move.NotMovable) as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, done)
    return redirect(attempt.candidate)


LOOKING = "samsaas looks at the account now. What it sees appears here in a moment."
RESTORING = "The account is being restored. The outcome appears here in a moment."
MOVING = "The undo window is over. The files are moved as soon as no other transfer to the same account goes on."
DECIDED = "Your decision was stored."
