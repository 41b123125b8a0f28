"""What happened, what of it a person gets by mail, and webhooks."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from samsaas import explain_conflict, keep_secrets
from samsaas.accounts.links import counted
from samsaas.events import edit_webhooks, stop_mails
from samsaas.events.kinds import list_for
from samsaas.lib import edits, tables
from samsaas.lib.http import SignedInRequest
from samsaas.lib.sight import limit_rows
from samsaas.models import Notification, NotificationChoices, Webhook
from samsaas.notifications.forms import ChoicesForm, WebhookForm
from samsaas.notifications.tables import CallTable, EventFilter, EventTable, WebhookTable, describe_events
from samsaas.reauthenticate import recent_password_required

TOLD_ONCE = "Give this secret to the receiver now; it is not shown again: {}"


def notification_list(request: SignedInRequest) -> HttpResponse:
    """Events about pages that the account may open, the newest first."""
    kinds = [kind.key for kind in list_for(request.user)]
    events = limit_rows(request, Notification.objects.filter(kind__in=kinds))
    context: dict[str, Any] = tables.listing(request, events, EventTable, EventFilter)
    read_until = NotificationChoices.objects.filter(user=request.user).values_list("read_until", flat=True).first() or 0
    describe_events([row.record for row in context["table"].paginated_rows], read_until)
    context["unread"] = events.filter(pk__gt=read_until).count()
    return render(request, "samsaas/notifications/notification_list.html", context)


def notification_read(request: SignedInRequest) -> HttpResponse:
    """Mark everything that happened until now as read."""
    newest = Notification.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    NotificationChoices.objects.update_or_create(user=request.user, defaults={"read_until": newest})
    messages.success(request, "Marked as read.")
    return redirect("notification_list")


def notification_settings(request: SignedInRequest) -> HttpResponse:
    """What the person gets by mail."""
    stored = NotificationChoices.objects.filter(user=request.user).first() or NotificationChoices(user=request.user)
    form = ChoicesForm(request.POST or None, instance=stored, user=request.user)
    if form.is_valid():
        form.save()
        messages.success(request, "Saved.")
        return redirect("notification_settings")
    return render(request, "samsaas/notifications/notification_settings.html", {"form": form})


@csrf_exempt
@counted
def notification_stop(request: HttpRequest, token: str) -> HttpResponse:
    """The page of the link in a mail: stop such mails. Looking changes nothing, because mail programs open links.

    The link is the secret: mail programs press the button themselves, without a session, and without a token of a form.
    """
    user = stop_mails.find(token)
    if user is None:
        return render(request, "samsaas/accounts/link_over.html", status=404)
    if request.method == "POST":
        stop_mails.run(user)
    context = {"address": user.email, "is_done": stop_mails.is_done(user)}
    return render(request, "samsaas/notifications/notification_stop.html", context)


def webhook_list(request: SignedInRequest) -> HttpResponse:
    """All webhooks, without their addresses."""
    context = tables.listing(request, Webhook.objects.all(), WebhookTable)
    return render(request, "samsaas/notifications/webhook_list.html", context)


@recent_password_required
def webhook_new(request: SignedInRequest) -> HttpResponse:
    """A new webhook. Its secret is shown once."""
    form = WebhookForm(keep_secrets.read_form(request, now=timezone.now()))
    if form.is_valid():
        made = edits.save_or_explain(
            form, lambda: edit_webhooks.create(form.cleaned_data, by=request.user, now=timezone.now())
        )
        if made:
            keep_secrets.forget(request)
            hook, secret = made
            messages.success(request, f"{hook} was created. {TOLD_ONCE.format(secret) if secret else ''}".strip())
            return redirect(hook)
    keep_secrets.keep(request, form, now=timezone.now())
    return render(request, "samsaas/notifications/webhook_form.html", {"form": form})


@recent_password_required
def webhook_edit(request: SignedInRequest, pk: int) -> HttpResponse:
    """Change a webhook, or switch it on again."""
    hook = get_object_or_404(Webhook, pk=pk)
    form = WebhookForm(keep_secrets.read_form(request, now=timezone.now()), instance=hook)
    if form.is_valid() and not explain_conflict.refuse(request, form, hook, "this webhook"):
        stored = Webhook.objects.get(pk=pk)
        edits.save_or_explain(form, lambda: edit_webhooks.change(stored, form.cleaned_data, by=request.user))
        if not form.errors:
            keep_secrets.forget(request)
            messages.success(request, f"{stored} was saved.")
            return redirect(stored)
    keep_secrets.keep(request, form, now=timezone.now())
    return render(request, "samsaas/notifications/webhook_form.html", {"form": form, "hook": hook})


def webhook_detail(request: SignedInRequest, pk: int) -> HttpResponse:
    """A webhook and what was sent to it."""
    hook = get_object_or_404(Webhook, pk=pk)
    context = tables.listing(request, hook.calls.select_related("event"), CallTable)
    return render(request, "samsaas/notifications/webhook_detail.html", {**context, "hook": hook})


def webhook_test(request: SignedInRequest, pk: int) -> HttpResponse:
    """Send a test now, and say what was answered."""
    sent = edit_webhooks.send_test(get_object_or_404(Webhook, pk=pk), by=request.user, now=timezone.now())
    arrived = sent.state == sent.State.ARRIVED
    (messages.success if arrived else messages.error)(
        request, f"{'It arrived' if arrived else 'It failed'}: {sent.answer}"
    )
    return redirect(sent.webhook)


@recent_password_required
def webhook_secret(request: SignedInRequest, pk: int) -> HttpResponse:
    """A new secret; the old one is void at once."""
    hook = get_object_or_404(Webhook, pk=pk, style=Webhook.Style.SIGNED)
    messages.success(request, TOLD_ONCE.format(edit_webhooks.renew_secret(hook, by=request.user)))
    return redirect(hook)


def webhook_delete(request: SignedInRequest, pk: int) -> HttpResponse:
    """Delete a webhook after a confirmation."""
    hook = get_object_or_404(Webhook, pk=pk)
    if request.method == "POST":
        edit_webhooks.delete(hook, by=request.user)
        messages.success(request, "The webhook was deleted.")
        return redirect("webhook_list")
    return render(request, "samsaas/notifications/webhook_delete.html", {"hook": hook})
