"""What of each page a person gets whose sight is limited to some profiles: the table beside `policy.POLICY`.

Every URL name has one kind, and `tests/test_sight.py` fails where one is missing. Deny by default: a page without a
kind is refused to them, as is one of `WHOLE`.
"""

from __future__ import annotations

from samsaas.lib import sight

FREE = "free"  # not about profiles: the own account, help, what everybody may open
ROWS = "rows"  # a list, or an order on rows of one: only those of the person's profiles
WHOLE = "whole"  # figures over all profiles, or what all profiles share: refused

FREE_PAGES = (
    *("password_change", "password_change_done", "own_account", "own_sign_out", "own_zone", "mfa_index"),
    *("mfa_activate_totp", "mfa_deactivate_totp", "mfa_view_recovery_codes", "mfa_generate_recovery_codes"),
    *("mfa_list_webauthn", "mfa_add_webauthn", "mfa_remove_webauthn", "help_list", "help_page", "help_image"),
    *("demo_later", "notification_read", "notification_settings", "list_density", "list_columns"),
    *("view_list", "view_save", "view_default", "view_edit", "view_delete"),
    *("token_list", "token_new", "token_revoke", "api_reference"),
    *("admin:login", "admin:logout", "admin:password_change"),
)
ROW_PAGES = (
    *("home", "find", "find_options", "find_open", "notification_list"),
    *("profile_list", "run_list", "subscription_list", "subscription_export", "subscription_select"),
    *("candidate_list", "candidate_export", "candidate_select", "candidate_assign", "candidate_assign_undo"),
    *("candidate_close", "candidate_note", "batch_list", "batch_confirm", "attempt_list"),
    *("candidate_propose_selected", "approval_list", "approval_link"),
    *("api:profile_list", "api:run_list", "api:scheduled_job_list", "api:subscription_list", "api:coverage_list"),
    *("api:candidate_list", "api:batch_list", "api:attempt_list"),
)
# Pages of one row, by the model of the row. A row of another profile is answered as one that is not there.
KEYED_PAGES = {
    "profiles.IntegrationProfile": (
        *("profile_detail", "profile_subscriptions", "profile_jobs", "profile_connection", "profile_switch"),
        *("profile_download", "profile_validate", "profile_waiting", "activity_read_again", "activity_further_back"),
        *("api:profile_detail", "api:profile_runs", "api:profile_validate"),
    ),
    "profiles.ScheduledJob": (
        *("scheduled_job_edit", "scheduled_job_pause", "scheduled_job_run", "api:scheduled_job_detail"),
    ),
    "profiles.JobRun": (
        *("run_detail", "run_progress", "run_cancel", "run_confirm", "run_again", "api:run_detail", "api:run_cancel"),
    ),
    "subscriptions.Subscription": (
        *("subscription_detail", "candidate_propose", "api:subscription_detail", "api:subscription_propose"),
    ),
    "subscriptions.ActivityCoverage": ("api:coverage_detail",),
    "reclamation.RemovalCandidate": (
        *("candidate_detail", "candidate_evidence", "candidate_skip", "candidate_resume"),
        *("api:candidate_detail", "api:candidate_close", "api:candidate_assign", "api:candidate_notes"),
    ),
    "reclamation.RemovalBatch": ("batch_detail", "batch_decide", "api:batch_detail"),
    "reclamation.RemovalAttempt": (
        *("attempt_look", "attempt_restore", "attempt_move", "attempt_decide", "api:attempt_detail"),
    ),
    "reclamation.Approval": ("approval_decide",),
}
WHOLE_PAGES = (
    *("account_list", "account_detail", "account_edit", "account_deactivate", "account_activate", "account_sign_out"),
    *("account_remove_factors", "account_send_link", "invitation_list", "invitation_new", "invitation_detail"),
    *("invitation_resend", "invitation_withdraw", "webhook_list", "webhook_new", "webhook_detail", "webhook_edit"),
    *("webhook_test", "webhook_secret", "webhook_delete", "checklist_tick", "exported_list", "profile_new"),
    *("profile_create", "profile_edit", "profile_delete", "profile_authorize", "profile_disconnect"),
    *("authorization_result", "alias_list", "alias_detail", "alias_child_new", "alias_edit", "alias_delete"),
    *("alias_limits", "software_model_list", "software_model_detail", "software_model_edit", "software_model_delete"),
    *("identifier_list", "identifier_detail", "identifier_map", "identifier_unmap", "identifier_exclusion_list"),
    *("identifier_exclusion_new", "identifier_exclusion_edit", "identifier_exclusion_delete", "user_exclusion_list"),
    *("user_exclusion_new", "user_exclusion_edit", "user_exclusion_delete", "activity_type_list", "unmatched_list"),
    *("user_exclusion_selected", "user_exclusion_undo", "unmatched_assign_selected"),
    *("unmatched_match", "unmatched_select", "unmatched_match_selected", "unmatched_match_undo", "unmatched_search"),
    *("unmatched_remove", "person_list", "person_create", "person_detail", "person_edit", "person_delete"),
    *("person_account", "person_merge", "person_import_new", "person_import_example", "person_import_detail"),
    *("person_import_columns", "person_import_read", "person_import_apply", "person_import_discard"),
    *("person_import_errors", "person_import_seats", "entitlement_list", "entitlement_select"),
    *("entitlement_publish_selected", "entitlement_export", "entitlement_new", "entitlement_detail"),
    *("entitlement_edit", "entitlement_publish", "entitlement_retire", "entitlement_renew", "entitlement_delete"),
    *("entitlement_versions", "allocation_list", "allocation_new", "allocation_import", "allocation_carry"),
    *("allocation_example", "allocation_release", "entitlement_import_new", "entitlement_import_template"),
    *("entitlement_import_detail", "entitlement_import_columns", "entitlement_import_read"),
    *("entitlement_import_apply", "entitlement_import_discard", "entitlement_import_errors", "renewals"),
    *("renewal_detail", "renewal_ask", "license-usage", "several_subscriptions", "several_subscriptions_export"),
    *("license_usage_pin", "publisher_result", "product_result", "model_result", "model_position", "metric_result"),
    *("seat_result_list", "group_result_list", "held_right_list", "remedy_apply", "reconciliations"),
    *("reconciliation_new", "reconciliation_detail", "reconciliation_cancel", "reconciliation_keep"),
    *("reconciliation_seats", "vendor-drift", "position_csv", "position_xlsx", "position_print"),
    *("resolution_rule_list", "resolution_rule_create", "resolution_rule_edit", "resolution_rule_delete"),
    *("resolution_rule_move", "reason_list", "reason_sums", "reason_rows", "rule_list", "rule_detail"),
    *("rule_observations", "rule_edit", "rule_review", "backtest_list", "backtest_new", "backtest_detail"),
    *("backtest_export", "exemption_list", "exemption_new", "exemption_import", "exemption_end", "removal_switch"),
    *("removal_switch_on", "savings_list", "savings_entries", "savings_export", "notice_list", "notice_detail"),
    *("exemption_select", "exemption_end_selected", "notice_select", "notice_resend_selected"),
    *("notice_resend", "notice_bounced", "notice_template", "audit_list", "audit_verify", "audit_export", "admin:*"),
    *("admin:auth_*", "admin:license_workbench", "admin:pin_publisher", "admin:run_reconciliation"),
    *("admin:profiles_integrationprofile_edit", "admin:profiles_integrationprofile_new", "admin:reclamation_notice*"),
    *("admin:samsaas_*", "admin:subscriptions_personimport*", "retention", "person_data", "report_list"),
    *("report_detail", "retention_run", "report_test", "sight_list", "sight_new", "sight_edit", "sight_delete"),
    *("person_erase", "report_new", "report_edit", "report_delete", "api:alias_list", "api:alias_detail"),
    *("api:software_model_list", "api:software_model_detail", "api:identifier_list", "api:identifier_detail"),
    *("api:identifier_exclusion_list", "api:identifier_exclusion_detail", "api:user_exclusion_list"),
    *("api:user_exclusion_detail", "api:person_list", "api:person_detail", "api:resolution_rule_list"),
    *("api:resolution_rule_detail", "api:entitlement_list", "api:entitlement_detail", "api:allocation_list"),
    *("api:allocation_detail", "api:reconciliation_list", "api:reconciliation_detail", "api:product_result_list"),
    *("api:product_result_detail", "api:model_result_list", "api:model_result_detail", "api:metric_result_list"),
    *("api:metric_result_detail", "api:seat_result_list", "api:seat_result_detail", "api:rule_list"),
    *("api:rule_detail", "api:exemption_list", "api:exemption_detail", "api:saving_list", "api:saving_detail"),
    *("api:renewal_list", "api:audit_entry_list", "api:audit_entry_detail", "api:entitlement_publish"),
)
SIGHT: dict[str, str] = (
    dict.fromkeys(WHOLE_PAGES, WHOLE)
    | dict.fromkeys(FREE_PAGES, FREE)
    | dict.fromkeys(ROW_PAGES, ROWS)
    | {name: model for model, names in KEYED_PAGES.items() for name in names}
)


def kind_of(row: str) -> str:
    """The kind of a page by its row of the policy table: `FREE`, `ROWS`, `WHOLE`, or the model of its key."""
    return SIGHT.get(row, WHOLE)


def is_beyond(user: object, row: str) -> bool:
    """Whether a page is refused to an account because its sight is limited."""
    return kind_of(row) == WHOLE and sight.sight_of(user) is not None
