"""Pages of asking: the outbox, the words of the question, approvals, and the public page that keeps a subscription."""

from __future__ import annotations

from math import ceil
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Case, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from reclamation.asking import (
    approve,
    approvers,
    edit_template,
    keep as keep_by_link,
    notices,
    resend,
    send_test,
    wording,
)
from reclamation.asking.filters import ApprovalFilter, NoticeFilter
from reclamation.asking.forms import DecisionForm, KeepForm, NoticeTemplateForm
from reclamation.asking.selection import OUTBOX, RESEND, allowed_actions, visible_mails
from reclamation.asking.tables import ApprovalTable, NoticeTable
from reclamation.asking.wording import Wording
from reclamation.models import Approval, Notice
from samsaas import audit, explain_conflict, guessing, outbox, policy, reauthenticate, roles
from samsaas.lib import act_on_rows, edits, selection, selection_bar, tables
from samsaas.lib.client_address import client_address
from samsaas.lib.encryption import UndecryptableValue
from samsaas.lib.http import SignedInRequest
from samsaas.lib.selection import read_for_file
from samsaas.models import Mail

APPROVAL_PAGE = (
    *("candidate__rule", "candidate__profile", "candidate__batch", "candidate__subscription__match__person"),
    *("asked_of_user", "asked_of_group", "answered_by"),
)
THROTTLED = "throttled"
STATUS = {keep_by_link.EXPIRED: 404, THROTTLED: 429}
CHOICES = {
    Approval.Question.KEEP_REQUEST: (("approve", "The user keeps it"), ("reject", "It is removed all the same")),
    Approval.Question.REMOVAL: (("approve", "Remove it"), ("reject", "Do not remove it")),
}


@csrf_exempt
def keep(request: HttpRequest, token: str) -> HttpResponse:
    """The link of a mail. Only a POST keeps; looking at the page, by whomever, changes nothing.

    The link is the secret, so there is no session, and no other token against forged forms.
    """
    now = timezone.now()
    attempt = guessing.begin_link(client_address(request), now=now)
    if attempt.refused:
        answer = _keep_page(THROTTLED)
        answer["Retry-After"] = str(ceil(attempt.wait.total_seconds()))
        return answer
    link = keep_by_link.look(token, now)
    form = KeepForm(request.POST if request.method == "POST" else None, today=timezone.localdate())
    if link.state == keep_by_link.VALID and form.is_valid():
        try:
            keep_by_link.run(token, **form.cleaned_data, now=now)
        except keep_by_link.NotKept as outcome:
            link = outcome.link
        else:
            link = keep_by_link.look(token, now)
    return _keep_page(link.state, link=link, form=form)


def _keep_page(state: str, **context: Any) -> HttpResponse:
    """Made without the request: what a page of ours usually knows of its visitor has no place here."""
    known = {"state": state, "organization": wording.organization(), **context}
    page = render_to_string("reclamation/asking/keep.html", known)
    return HttpResponse(page, status=STATUS.get(state, 200), headers={"Referrer-Policy": "no-referrer"})


def notice_list(request: HttpRequest) -> HttpResponse:
    """The outbox: every mail as it was sent, and what became of it."""
    mails, chosen = visible_mails(request).select_related("notice__candidate"), read_for_file(request, OUTBOX)
    mails = mails.prefetch_related("renewal_reminders__entitlement")
    context = tables.listing(request, mails, NoticeTable, NoticeFilter, chosen=chosen)
    selection_bar.prepare_page(request, context, OUTBOX, allowed_actions(request))
    return render(request, "reclamation/asking/notice_list.html", {**context, **_mail_context()})


def notice_select(request: HttpRequest) -> HttpResponse:
    """Keep what was ticked in the outbox, and go on to another page of it or to an action."""
    return selection.answer(request, OUTBOX, allowed_actions(request))


def notice_resend_selected(request: SignedInRequest) -> HttpResponse:
    """Send the selected mails again, those that failed, after a confirmation."""
    return act_on_rows.answer(request, RESEND)


@reauthenticate.recent_password_required
def notice_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One mail as it was sent. Its link is shown only where it was kept here instead of being sent.

    A link that opens an account is for administrators who gave their password lately: it would give its reader another
    person's roles, and a stolen session must not be enough for that. The POST asks for the password.
    """
    mail = get_object_or_404(Mail.objects.select_related("notice__candidate"), pk=pk)
    is_guarded = mail.kept and mail.opens_account
    may_open = is_guarded and policy.may(request.user, "notice_detail", "POST")
    asks_first = may_open and not reauthenticate.is_recent(request, now=timezone.now())
    link = _kept_link(mail) if mail.kept and (not is_guarded or may_open) and not asks_first else ""
    context = {"mail": mail, "link": link, "asks_first": asks_first, "mark": outbox.LINK, **_mail_context()}
    return render(request, "reclamation/asking/notice_detail.html", context)


def _kept_link(mail: Mail) -> str:
    try:
        return mail.secret
    except UndecryptableValue:
        return ""


def _mail_context() -> dict[str, Any]:
    return {"has_server": outbox.has_server(), "kept_count": settings.KEPT_MAILS_COUNT}


def notice_resend(request: SignedInRequest, pk: int) -> HttpResponse:
    """Send a failed mail again."""
    mail = get_object_or_404(Mail, pk=pk)
    try:
        messages.success(request, resend.run(mail, request.user, timezone.now()))
    except resend.NotResent as refusal:
        messages.error(request, str(refusal))
    return redirect("notice_detail", pk)


def notice_bounced(request: SignedInRequest, pk: int) -> HttpResponse:
    """Note that a mail came back, as the sender's mailbox says. Whoever was asked with it has not been asked."""
    mail = get_object_or_404(Mail, pk=pk)
    if outbox.report_bounce(mail, by=request.user.get_username()):
        audit.record(request.user, "reported mail as returned", mail)
        messages.success(request, "Noted. If no other mail reached the user, the candidate needs attention.")
    else:
        messages.error(request, "It is not a mail that was sent.")
    return redirect("notice_detail", pk)


def notice_template(request: SignedInRequest) -> HttpResponse:
    """The words of the question: change, look at them as somebody would get them, send a test to oneself."""
    stored, now = wording.stored(), timezone.now()
    initial = {"subject": stored.subject, "text": stored.text, "version": stored.version}
    form = NoticeTemplateForm(request.POST or None, initial=initial)
    words = Wording(stored.subject, stored.text)
    if form.is_valid():
        words = Wording(form.cleaned_data["subject"], form.cleaned_data["text"])
        if _act_on_template(request, form, words):
            return redirect("notice_template")
    candidate = send_test.example_candidate()
    context = {
        "form": form,
        "template": stored,
        "variables": wording.VARIABLES,
        "candidate": candidate,
        "preview": send_test.preview(words, candidate, now),
    }
    return render(request, "reclamation/asking/notice_template.html", context)


def _act_on_template(request: SignedInRequest, form: NoticeTemplateForm, words: Wording) -> bool:
    """Save, or send a test, whatever was pressed. Whether the words were saved."""
    now = timezone.now()
    if "test" in request.POST:
        try:
            send_test.run(words, request.user, now)
            messages.success(request, f"A test to {request.user.email} is in the outbox; it is sent within a minute.")
        except send_test.NotSent as reason:
            messages.error(request, str(reason))
    elif "save" in request.POST:
        version = form.cleaned_data["version"]
        try:
            edit_template.run(words.subject, words.text, version=version, by=request.user, now=now)
        except edits.EditConflict:
            explain_conflict.run(request, form, wording.stored(), "these words")
        else:
            messages.success(request, "The words were saved. Mails that are queued already keep theirs.")
            return True
    return False


def _approvals(request: SignedInRequest) -> QuerySet[Approval]:
    """What this account may see, its own first, with `is_mine`. Without a role that is what it was asked."""
    asked = approvers.asked_of(request.user)
    mine = Case(When(asked, then=Value(True)), default=Value(False))
    related = ("candidate", "asked_of_user", "asked_of_group")
    rows = Approval.objects.select_related(*related).annotate(is_mine=mine).order_by(mine.desc(), "due_at", "pk")
    return rows if roles.SAM_USER in roles.roles_of(request.user) else rows.filter(asked)


def approval_list(request: SignedInRequest) -> HttpResponse:
    """What waits for an approver: one's own first, then what is due first."""
    context = tables.listing(request, _approvals(request), ApprovalTable, ApprovalFilter)
    return render(request, "reclamation/asking/approval_list.html", context)


def approval_decide(request: SignedInRequest, pk: int) -> HttpResponse:
    """One question with the evidence, and the answers that this account may give."""
    approval = get_object_or_404(Approval.objects.select_related(*APPROVAL_PAGE), pk=pk)
    if not (approvers.is_asked(approval, request.user) or roles.SAM_USER in roles.roles_of(request.user)):
        raise PermissionDenied
    choices, refusal = _possible_answers(approval, request.user)
    form = DecisionForm(request.POST or None, choices=choices)
    if form.is_valid():
        try:
            given = form.cleaned_data
            approve.decide(approval, given["answer"], note=given["note"], by=request.user, now=timezone.now())
            messages.success(request, "Your answer was noted.")
        except approve.NotDecided as reason:
            messages.error(request, str(reason))
        return redirect("approval_decide", pk)
    request_to_keep = approval.candidate.answers.order_by("-pk").first()
    context = {"approval": approval, "form": form, "may_answer": bool(choices), "refusal": refusal}
    return render(request, "reclamation/asking/approval_decide.html", {**context, "wish": request_to_keep})


def _possible_answers(approval: Approval, user: Any) -> tuple[list[tuple[str, str]], str]:
    """The answers an account may give, and why not the others; none once it is answered."""
    if approval.at is not None:
        return [], ""
    possible, why = [], ""
    for answer, label in CHOICES.get(Approval.Question(approval.question), ()):
        refusal = approvers.refusal(approval, user, keeps=approve.lets_keep(approval, answer))
        lonely = refusal == approvers.YOUR_REQUEST and approvers.is_lonely(approval.candidate, user)
        why = why or (approvers.NOBODY if lonely else refusal)
        if not refusal:
            possible.append((answer, label))
    return possible, why


def approval_link(request: SignedInRequest, token: str) -> HttpResponse:
    """The link of a mail to an approver. It only leads to the question, and decides nothing by itself."""
    notice = notices.find(token, (Notice.Kind.APPROVAL,))
    approval = notice.candidate.approvals.first() if notice else None
    if approval is None:
        messages.info(request, "This link leads to no question. What waits for you is listed here.")
        return redirect("approval_list")
    return redirect("approval_decide", approval.pk)
