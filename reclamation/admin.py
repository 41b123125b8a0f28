"""Core UI: rules, removal candidates with everything that belongs to them, removals and savings."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from reclamation.models import (
    Approval,
    BackTest,
    BackTestFinding,
    CandidateNote,
    Exemption,
    KeepAnswer,
    Notice,
    NoticeTemplate,
    Observation,
    ReclamationRule,
    ReclamationSwitch,
    RemovalAttempt,
    RemovalBatch,
    RemovalCandidate,
    RuleVersion,
    SavingsEntry,
    StateChange,
)
from samsaas import policy
from samsaas.read_only_admin import AdminButton, ReadOnlyAdmin, RelatedList


@admin.register(ReclamationRule)
class ReclamationRuleAdmin(ReadOnlyAdmin):
    list_display = ("name", "software_model", "active", "mode", "threshold_days", "undo_days", "reviewed_at")
    list_filter = ("active", "mode")
    search_fields = ("name",)
    list_select_related = ("software_model",)
    buttons = (
        AdminButton(label="Edit", url_name="rule_edit"),
        AdminButton(label="Review", url_name="rule_review", shown=lambda rule: rule.reviewed_at is None),
        AdminButton(label="Back test", url_name="backtest_new"),
    )
    related_lists = (
        RelatedList(label="Versions", of="reclamation_ruleversion", lookup="rule__id__exact"),
        RelatedList(label="Removal candidates", of="reclamation_removalcandidate", lookup="rule__id__exact"),
        RelatedList(label="Observations", of="reclamation_observation", lookup="rule__id__exact"),
        RelatedList(label="Back tests", of="reclamation_backtest", lookup="rule__id__exact"),
    )


@admin.register(RuleVersion)
class RuleVersionAdmin(ReadOnlyAdmin):
    list_display = ("rule", "version", "at", "by")
    list_select_related = ("rule", "by")


@admin.register(Observation)
class ObservationAdmin(ReadOnlyAdmin):
    list_display = ("subscription", "rule", "reason", "first_on", "last_on", "times")
    list_select_related = ("subscription", "rule")


@admin.register(BackTest)
class BackTestAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "rule", "from_on", "to_on", "by", "at")
    list_select_related = ("rule", "by")
    related_lists = (RelatedList(label="Findings", of="reclamation_backtestfinding", lookup="back_test__id__exact"),)


@admin.register(BackTestFinding)
class BackTestFindingAdmin(ReadOnlyAdmin):
    list_display = ("back_test", "subscription", "on", "reason", "outcome", "last_use_on", "back_on")
    list_filter = ("outcome", "reason")
    list_select_related = ("back_test", "subscription")


@admin.register(RemovalCandidate)
class RemovalCandidateAdmin(ReadOnlyAdmin):
    list_display = ("number", "display_name", "email", "profile_name", "state", "justification", "opened_at")
    list_filter = ("state", "justification")
    search_fields = ("=id", "display_name", "email", "=external_id", "profile_name")
    buttons = (
        AdminButton(label="Resume", url_name="candidate_resume", shown=lambda one: one.state == "attention_required"),
        AdminButton(label="Skip", url_name="candidate_skip", shown=lambda one: one.closed_at is None),
        AdminButton(label="Evidence file", url_name="candidate_evidence"),
    )
    related_lists = tuple(
        RelatedList(label=label, of=f"reclamation_{of}", lookup="candidate__id__exact")
        for label, of in (
            ("State changes", "statechange"),
            ("Notes", "candidatenote"),
            ("Notices", "notice"),
            ("Answers of the user", "keepanswer"),
            ("Approvals", "approval"),
            ("Removal attempts", "removalattempt"),
            ("Savings", "savingsentry"),
        )
    )


@admin.register(StateChange)
class StateChangeAdmin(ReadOnlyAdmin):
    list_display = ("candidate", "from_state", "to_state", "at", "by", "reason")
    list_filter = ("to_state",)
    list_select_related = ("candidate", "by")


@admin.register(CandidateNote)
class CandidateNoteAdmin(ReadOnlyAdmin):
    list_display = ("candidate", "at", "by", "text")
    list_select_related = ("candidate", "by")


@admin.register(Exemption)
class ExemptionAdmin(ReadOnlyAdmin):
    list_display = ("person", "subscription", "reason", "until", "ended_at", "by")
    list_filter = (("ended_at", admin.EmptyFieldListFilter),)
    list_select_related = ("person", "subscription", "by")
    buttons = (
        AdminButton(label="New", url_name="exemption_new", on_row=False),
        AdminButton(label="Import", url_name="exemption_import", on_row=False),
        AdminButton(label="End", url_name="exemption_end", shown=lambda one: one.ended_at is None),
    )


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    """The mails are in the outbox. What a link is worth is stored nowhere in clear."""

    list_display = ("candidate", "kind", "mail", "expires_at", "used_at")
    list_filter = ("kind",)
    list_select_related = ("candidate", "mail")
    exclude = ("token_hash",)


@admin.register(NoticeTemplate)
class NoticeTemplateAdmin(ReadOnlyAdmin):
    list_display = ("kind", "subject", "version", "changed_by", "changed_at")
    list_select_related = ("changed_by",)


@admin.register(KeepAnswer)
class KeepAnswerAdmin(ReadOnlyAdmin):
    list_display = ("candidate", "channel", "reason", "keep_until", "at", "granted")
    list_filter = ("channel", "granted")
    list_select_related = ("candidate",)


@admin.register(Approval)
class ApprovalAdmin(ReadOnlyAdmin):
    list_display = ("candidate", "question", "asked_of_group", "asked_of_user", "due_at", "answer", "answered_by", "at")
    list_filter = ("question", "answer")
    list_select_related = ("candidate", "asked_of_group", "asked_of_user", "answered_by")


@admin.register(RemovalBatch)
class RemovalBatchAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "profile_name", "state", "size", "dry_run", "requested_by", "requested_at", "decided_by")
    list_filter = ("state", "dry_run")
    list_select_related = ("requested_by", "decided_by")
    buttons = (AdminButton(label="Open", url_name="batch_detail"),)
    related_lists = (
        RelatedList(label="Removal attempts", of="reclamation_removalattempt", lookup="batch__id__exact"),
        RelatedList(label="Removal candidates", of="reclamation_removalcandidate", lookup="batch__id__exact"),
    )


@admin.register(RemovalAttempt)
class RemovalAttemptAdmin(ReadOnlyAdmin):
    list_display = ("id", "candidate", "email", "state", "dry_run", "called_at", "restorable_until", "closed_at")
    list_filter = ("state", "dry_run")
    search_fields = ("=id", "email", "=external_id")
    list_select_related = ("candidate",)
    buttons = (
        AdminButton(label="Restore", url_name="attempt_restore", shown=lambda one: one.restorable_until is not None),
        AdminButton(label="Decide", url_name="attempt_decide", shown=lambda one: one.state == "needs_human"),
    )

    def get_exclude(self, request: HttpRequest, obj: RemovalAttempt | None = None) -> tuple[str, ...]:
        """What a vendor answered, word for word, is for those who may change profiles."""
        technical = ("owner", "generation", "lease_until", "fingerprint")
        return technical if policy.may(request.user, "profile_edit") else (*technical, "error_body")


@admin.register(ReclamationSwitch)
class ReclamationSwitchAdmin(ReadOnlyAdmin):
    list_display = ("profile", "paused", "by", "at", "reason")
    list_select_related = ("profile", "by")
    buttons = (AdminButton(label="Pause removals", url_name="removal_switch", on_row=False),)


@admin.register(SavingsEntry)
class SavingsEntryAdmin(ReadOnlyAdmin):
    ordering = ("-on", "-pk")
    list_display = ("on", "kind", "quantity", "amount", "currency", "software_model", "candidate", "person")
    list_filter = ("kind",)
    list_select_related = ("candidate", "person")
