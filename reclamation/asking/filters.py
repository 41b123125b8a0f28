"""The filters of the outbox and of the approvals. Their state is in the URL."""

from __future__ import annotations

import django_filters
from django.db.models import Exists, OuterRef, Q, QuerySet

from reclamation.asking import approvers
from reclamation.models import Approval, Notice
from samsaas.lib import search as text_search
from samsaas.lib.tables import ListFilter, search
from samsaas.models import Mail
from subscriptions.models import RenewalReminder

OPEN, MINE, ANSWERED, ALL = "open", "mine", "answered", "all"
FAILED_OPEN = "failed_open"
RENEWAL, TEST = "renewal", "test"


def failed_open() -> Q:
    """For mails: failed, and about a candidate that is not decided yet."""
    return Q(state=Mail.State.FAILED, notice__candidate__closed_at=None, notice__isnull=False)


class NoticeFilter(ListFilter):
    q = search(placeholder="Address or subject", method="by_text")
    state = django_filters.ChoiceFilter(
        label="State",
        choices=[*Mail.State.choices, (FAILED_OPEN, "Failed, of an open candidate")],
        empty_label="Any",
        method="in_state",
    )
    kind = django_filters.ChoiceFilter(
        label="Kind",
        choices=[*Notice.Kind.choices, (RENEWAL, "Renewal reminder"), (TEST, "Test")],
        empty_label="Any",
        method="of_kind",
    )

    class Meta:
        model = Mail
        fields = ("q", "state", "kind")

    def in_state(self, queryset: QuerySet[Mail], name: str, value: str) -> QuerySet[Mail]:
        return queryset.filter(failed_open() if value == FAILED_OPEN else Q(state=value))

    def of_kind(self, queryset: QuerySet[Mail], name: str, value: str) -> QuerySet[Mail]:
        reminders = Exists(RenewalReminder.objects.filter(mail=OuterRef("pk")))
        if value == RENEWAL:
            return queryset.filter(reminders)
        return queryset.filter(~reminders, notice=None) if value == TEST else queryset.filter(notice__kind=value)

    def by_text(self, queryset: QuerySet[Mail], name: str, value: str) -> QuerySet[Mail]:
        return text_search.find(queryset, value, "to", "subject")


class ApprovalFilter(ListFilter):
    """Without a choice the list shows what waits for an answer."""

    show = django_filters.ChoiceFilter(
        label="Show",
        choices=[(MINE, "Waiting for me"), (ANSWERED, "Answered or over"), (ALL, "All")],
        empty_label="Waiting",
        method="chosen",
    )
    question = django_filters.ChoiceFilter(label="Question", choices=Approval.Question.choices, empty_label="Any")

    class Meta:
        model = Approval
        fields = ("show", "question")

    def filter_queryset(self, queryset: QuerySet[Approval]) -> QuerySet[Approval]:
        chosen: QuerySet[Approval] = super().filter_queryset(queryset)
        return chosen if self.form.cleaned_data.get("show") else chosen.filter(at=None)

    def chosen(self, queryset: QuerySet[Approval], name: str, value: str) -> QuerySet[Approval]:
        if value == ALL:
            return queryset
        return (
            queryset.exclude(at=None)
            if value == ANSWERED
            else queryset.filter(approvers.asked_of(self.request.user), at=None)
        )
