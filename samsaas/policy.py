"""The table of who may call which page.

Deny by default: a URL name without a row answers 403 to everybody, and `tests/test_permissions.py` fails.
"""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

from samsaas import page_sight
from samsaas.roles import ADMIN, PUBLIC, SAM_ADMIN, SAM_INTEGRATOR, SAM_USER, SIGNED_IN, roles_of

READ = {"GET": SAM_USER}
INTEGRATE = {"GET": SAM_INTEGRATOR, "POST": SAM_INTEGRATOR}
INTEGRATE_ACT = {"POST": SAM_INTEGRATOR}
KEEP_PEOPLE = MANAGE = {"GET": SAM_ADMIN, "POST": SAM_ADMIN}
RECORD = {"GET": SAM_USER, "POST": SAM_USER}
RECORD_ACT = {"POST": SAM_USER}

POLICY: dict[str, dict[str, str]] = {
    "healthz": {"GET": PUBLIC},
    "readyz": {"GET": PUBLIC},
    "metrics": {"GET": PUBLIC},  # it asks for a token of its own
    "login": {"GET": PUBLIC, "POST": PUBLIC},
    "logout": {"POST": PUBLIC},
    "password_change": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "password_change_done": {"GET": SIGNED_IN},
    # The address of a link is its secret. What asks for one says the same to everybody.
    "invitation_accept": {"GET": PUBLIC, "POST": PUBLIC},
    "password_reset": {"GET": PUBLIC, "POST": PUBLIC},
    "password_reset_done": {"GET": PUBLIC},
    "password_reset_confirm": {"GET": PUBLIC, "POST": PUBLIC},
    # django-allauth's names for two of our pages, and the second factor. Its other pages have no row and no address.
    "account_login": {"GET": PUBLIC, "POST": PUBLIC},
    "mfa_authenticate": {"GET": PUBLIC, "POST": PUBLIC},
    "mfa_index": {"GET": SIGNED_IN},
    "mfa_activate_totp": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "mfa_deactivate_totp": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "mfa_view_recovery_codes": {"GET": SIGNED_IN},
    "mfa_generate_recovery_codes": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "mfa_list_webauthn": {"GET": SIGNED_IN},
    "mfa_add_webauthn": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "mfa_remove_webauthn": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "openid_connect_login": {"GET": PUBLIC},
    "openid_connect_callback": {"GET": PUBLIC},
    "saml_login": {"GET": PUBLIC},
    "saml_acs": {"POST": PUBLIC},
    "saml_finish": {"GET": PUBLIC},
    "saml_metadata": {"GET": PUBLIC},
    "own_account": {"GET": SIGNED_IN},
    "own_sign_out": {"POST": SIGNED_IN},
    "own_zone": {"POST": SIGNED_IN},
    "account_list": {"GET": ADMIN},
    "account_detail": {"GET": ADMIN},
    "account_edit": {"GET": ADMIN, "POST": ADMIN},
    "account_deactivate": {"GET": ADMIN, "POST": ADMIN},
    "account_activate": {"POST": ADMIN},
    "account_sign_out": {"POST": ADMIN},
    "account_remove_factors": {"POST": ADMIN},
    "account_send_link": {"POST": ADMIN},
    "invitation_list": {"GET": ADMIN},
    "invitation_new": {"GET": ADMIN, "POST": ADMIN},
    "invitation_detail": {"GET": ADMIN},
    "invitation_resend": {"POST": ADMIN},
    "invitation_withdraw": {"POST": ADMIN},
    "home": {"GET": SIGNED_IN},
    "notification_list": READ,
    "notification_read": RECORD_ACT,
    "notification_settings": RECORD,
    "webhook_list": {"GET": ADMIN},
    "webhook_new": {"GET": ADMIN, "POST": ADMIN},
    "webhook_detail": {"GET": ADMIN},
    "webhook_edit": {"GET": ADMIN, "POST": ADMIN},
    "webhook_test": {"POST": ADMIN},
    "webhook_secret": {"POST": ADMIN},
    "webhook_delete": {"GET": ADMIN, "POST": ADMIN},
    # Whoever has the link of such a mail may stop it, and so may the mail program.
    "notification_stop": {"GET": PUBLIC, "POST": PUBLIC},
    "report_stop": {"GET": PUBLIC, "POST": PUBLIC},
    "checklist_tick": {"POST": SAM_ADMIN},
    "help_list": {"GET": SIGNED_IN},
    "help_page": {"GET": SIGNED_IN},
    "help_image": {"GET": SIGNED_IN},
    "demo_later": {"POST": SIGNED_IN},
    "exported_list": READ,
    "find": READ,
    "find_options": READ,
    "find_open": READ,  # and the row of the record's own page
    "list_density": RECORD_ACT,
    "list_columns": RECORD_ACT,
    "view_list": READ,
    "view_save": RECORD_ACT,
    "view_default": RECORD_ACT,
    "view_edit": RECORD,
    "view_delete": RECORD,
    "profile_list": READ,
    "profile_new": {"GET": SAM_INTEGRATOR},
    "profile_create": INTEGRATE,
    "profile_detail": READ,
    "profile_subscriptions": READ,
    "profile_jobs": READ,
    "profile_connection": READ,
    "profile_switch": INTEGRATE_ACT,
    "profile_edit": INTEGRATE,
    "profile_delete": INTEGRATE,
    "profile_authorize": INTEGRATE_ACT,
    "profile_disconnect": INTEGRATE,
    "profile_download": {"POST": SAM_INTEGRATOR},
    "profile_validate": INTEGRATE_ACT,
    "activity_read_again": INTEGRATE,
    "activity_further_back": INTEGRATE,
    "profile_waiting": READ,
    # Public, because the page itself explains a lost session or a missing role.
    "oauth_redirect": {"GET": PUBLIC},
    "authorization_result": {"GET": SAM_INTEGRATOR},
    "authorization_stopped": {"GET": PUBLIC},
    "alias_list": READ,
    "alias_detail": READ,
    "alias_child_new": INTEGRATE,
    "alias_edit": INTEGRATE,
    "alias_delete": INTEGRATE,
    "alias_limits": {"GET": ADMIN, "POST": ADMIN},
    "scheduled_job_edit": INTEGRATE,
    "scheduled_job_pause": INTEGRATE_ACT,
    "scheduled_job_run": INTEGRATE_ACT,
    "run_list": READ,
    "run_detail": READ,
    "run_progress": READ,
    "run_cancel": {"POST": SAM_INTEGRATOR},
    "run_confirm": {"POST": SAM_INTEGRATOR},
    "run_again": INTEGRATE_ACT,
    "subscription_list": READ,
    "subscription_select": RECORD_ACT,
    "subscription_export": READ,
    "subscription_detail": READ,
    "software_model_list": READ,
    "software_model_detail": READ,
    "software_model_edit": MANAGE,
    "software_model_delete": MANAGE,
    "identifier_list": READ,
    "identifier_detail": READ,
    "identifier_map": MANAGE,
    "identifier_unmap": MANAGE,
    "identifier_exclusion_list": READ,
    "identifier_exclusion_new": MANAGE,
    "identifier_exclusion_edit": MANAGE,
    "identifier_exclusion_delete": MANAGE,
    "user_exclusion_list": READ,
    "user_exclusion_new": MANAGE,
    "user_exclusion_edit": MANAGE,
    "user_exclusion_delete": MANAGE,
    "user_exclusion_selected": MANAGE,
    "user_exclusion_undo": {"POST": SAM_ADMIN},
    "activity_type_list": READ,
    "unmatched_list": READ,
    "unmatched_match": {"POST": SAM_ADMIN},
    "unmatched_select": {"POST": SAM_ADMIN},
    "unmatched_match_selected": MANAGE,
    "unmatched_assign_selected": MANAGE,
    "unmatched_match_undo": {"POST": SAM_ADMIN},
    "unmatched_search": {"GET": SAM_ADMIN},
    "unmatched_remove": {"POST": SAM_ADMIN},
    "person_list": READ,
    "person_create": KEEP_PEOPLE,
    "person_detail": READ,
    "person_edit": KEEP_PEOPLE,
    "person_delete": KEEP_PEOPLE,
    "person_account": KEEP_PEOPLE,
    "person_merge": KEEP_PEOPLE,
    "person_import_new": KEEP_PEOPLE,
    "person_import_example": {"GET": SAM_ADMIN},
    "person_import_detail": {"GET": SAM_ADMIN},
    "person_import_columns": KEEP_PEOPLE,
    "person_import_read": {"POST": SAM_ADMIN},
    "person_import_apply": {"POST": SAM_ADMIN},
    "person_import_discard": {"POST": SAM_ADMIN},
    "person_import_errors": {"GET": SAM_ADMIN},
    "person_import_seats": {"GET": SAM_ADMIN},
    "entitlement_list": READ,
    "entitlement_select": RECORD_ACT,
    "entitlement_publish_selected": RECORD,
    "entitlement_export": READ,
    "entitlement_new": RECORD,
    "entitlement_detail": READ,
    "entitlement_edit": RECORD,
    "entitlement_publish": RECORD,
    "entitlement_retire": RECORD,
    "entitlement_renew": RECORD,
    "entitlement_delete": RECORD,
    "entitlement_versions": READ,
    "allocation_list": READ,
    "allocation_new": RECORD,
    "allocation_import": RECORD,
    "allocation_carry": RECORD_ACT,
    "allocation_example": READ,
    "allocation_release": RECORD,
    "entitlement_import_new": RECORD,
    "entitlement_import_template": READ,
    "entitlement_import_detail": READ,
    "entitlement_import_columns": RECORD,
    "entitlement_import_read": RECORD_ACT,
    "entitlement_import_apply": RECORD_ACT,
    "entitlement_import_discard": RECORD_ACT,
    "entitlement_import_errors": READ,
    "renewals": READ,
    "renewal_detail": READ,
    "renewal_ask": RECORD_ACT,
    "license-usage": READ,
    "several_subscriptions": READ,
    "several_subscriptions_export": READ,
    "license_usage_pin": RECORD_ACT,
    "publisher_result": READ,
    "product_result": READ,
    "model_result": READ,
    "model_position": READ,
    "metric_result": READ,
    "seat_result_list": READ,
    "group_result_list": READ,
    "held_right_list": READ,
    "remedy_apply": RECORD,
    "reconciliations": READ,
    "reconciliation_new": RECORD,
    "reconciliation_detail": READ,
    "reconciliation_cancel": RECORD_ACT,
    "reconciliation_keep": RECORD_ACT,
    "reconciliation_seats": READ,
    "vendor-drift": READ,
    "position_csv": READ,
    "position_xlsx": READ,
    "position_print": READ,
    "resolution_rule_list": READ,
    "resolution_rule_create": INTEGRATE,
    "resolution_rule_edit": INTEGRATE,
    "resolution_rule_delete": INTEGRATE,
    "resolution_rule_move": INTEGRATE_ACT,
    "candidate_list": READ,
    "candidate_export": READ,
    "candidate_detail": READ,
    "candidate_evidence": READ,
    "candidate_select": {"POST": SAM_USER},
    "candidate_assign": MANAGE,
    "candidate_assign_undo": {"POST": SAM_ADMIN},
    "candidate_close": MANAGE,
    "candidate_note": MANAGE,
    "candidate_propose": {"GET": SAM_USER, "POST": SAM_USER},
    "candidate_propose_selected": RECORD,
    "candidate_skip": MANAGE,
    "reason_list": READ,
    "reason_sums": READ,
    "reason_rows": READ,
    "rule_list": READ,
    "rule_detail": READ,
    "rule_observations": READ,
    "rule_edit": MANAGE,
    "rule_review": MANAGE,
    "backtest_list": READ,
    "backtest_new": MANAGE,
    "backtest_detail": READ,
    "backtest_export": READ,
    "exemption_list": READ,
    "exemption_new": MANAGE,
    "exemption_import": MANAGE,
    "exemption_end": MANAGE,
    "exemption_select": {"POST": SAM_ADMIN},
    "exemption_end_selected": MANAGE,
    "candidate_resume": MANAGE,
    "batch_list": READ,
    "batch_confirm": MANAGE,
    "batch_detail": READ,
    "batch_decide": {"POST": SAM_ADMIN},
    "attempt_list": READ,
    "attempt_look": {"POST": SAM_ADMIN},
    "attempt_restore": MANAGE,
    "attempt_move": MANAGE,
    "attempt_decide": MANAGE,
    "removal_switch": MANAGE,
    "removal_switch_on": {"POST": ADMIN},
    "savings_list": READ,
    "savings_entries": READ,
    "savings_export": READ,
    # Public: whoever has the link of the mail may keep the subscription. The link can do nothing else.
    "keep": {"GET": PUBLIC, "POST": PUBLIC},
    "notice_list": {"GET": SAM_ADMIN},
    "notice_detail": {"GET": SAM_ADMIN, "POST": ADMIN},  # POST: its link, after the password
    "notice_resend": {"POST": SAM_ADMIN},
    "notice_select": {"POST": SAM_ADMIN},
    "notice_resend_selected": MANAGE,
    "notice_bounced": {"POST": SAM_ADMIN},
    "notice_template": MANAGE,
    # A user's manager may have an account without any role. The pages show such an account its own questions only.
    "approval_list": {"GET": SIGNED_IN},
    "approval_decide": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "approval_link": {"GET": SIGNED_IN},
    "token_list": READ,
    "token_new": RECORD,
    "token_revoke": RECORD,
    "api_reference": READ,
    "audit_list": {"GET": SAM_ADMIN},
    "audit_verify": {"POST": SAM_ADMIN},
    "audit_export": {"GET": SAM_ADMIN},
    # Core UI shows what the Workspace shows, and its buttons call pages of the Workspace. The longest row counts.
    "admin:*": {"GET": SAM_USER},
    "admin:auth_*": {"GET": ADMIN, "POST": ADMIN},
    "admin:login": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "admin:logout": {"POST": SIGNED_IN},
    "admin:password_change": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "admin:license_workbench": READ,
    "admin:pin_publisher": RECORD_ACT,
    "admin:run_reconciliation": RECORD_ACT,
    "admin:profiles_integrationprofile_edit": INTEGRATE,
    "admin:profiles_integrationprofile_new": INTEGRATE,
    "admin:reclamation_notice*": {"GET": SAM_ADMIN},
    "admin:samsaas_*": {"GET": SAM_ADMIN},
    "admin:subscriptions_personimport*": {"GET": SAM_ADMIN},
}
POLICY |= dict.fromkeys(("retention", "person_data", "report_list", "report_detail"), {"GET": ADMIN})
POLICY |= dict.fromkeys(("retention_run", "report_test"), {"POST": ADMIN})
POLICY |= {"sight_list": {"GET": ADMIN}}
POLICY |= dict.fromkeys(("sight_new", "sight_edit", "sight_delete"), {"GET": ADMIN, "POST": ADMIN})
POLICY |= dict.fromkeys(("person_erase", "report_new", "report_edit", "report_delete"), {"GET": ADMIN, "POST": ADMIN})

# The REST API. A call has the account of its token, with no more than the token's role (`narrow`).
_API_READ = (
    *("profile", "alias", "run", "scheduled_job", "subscription", "coverage", "software_model", "identifier"),
    *("identifier_exclusion", "user_exclusion", "person", "resolution_rule", "entitlement", "allocation"),
    *("reconciliation", "product_result", "model_result", "metric_result", "seat_result"),
    *("rule", "exemption", "candidate", "batch", "attempt", "saving"),
)
POLICY |= {f"api:{noun}_{kind}": READ for noun in _API_READ for kind in ("list", "detail")}
POLICY |= {
    "api:openapi": {"GET": PUBLIC},  # it says nothing about the installation
    "api:renewal_list": READ,
    "api:audit_entry_list": {"GET": SAM_ADMIN},
    "api:audit_entry_detail": {"GET": SAM_ADMIN},
    "api:profile_runs": INTEGRATE_ACT,
    "api:profile_validate": INTEGRATE_ACT,
    "api:run_cancel": INTEGRATE_ACT,
    "api:entitlement_list": RECORD,
    "api:entitlement_detail": {"GET": SAM_USER, "PATCH": SAM_USER},
    "api:entitlement_publish": RECORD_ACT,
    "api:reconciliation_list": RECORD,
    "api:subscription_propose": RECORD_ACT,
    "api:candidate_close": {"POST": SAM_ADMIN},
    "api:candidate_assign": {"POST": SAM_ADMIN},
    "api:candidate_notes": {"POST": SAM_ADMIN},
    "api:batch_list": {"GET": SAM_USER, "POST": SAM_ADMIN},
}

# Pages whose form has a file. All others take small forms only: see samsaas/doors.py.
UPLOADS = frozenset({"person_import_new", "exemption_import", "entitlement_import_new", "allocation_import"})
# Mail programs post to these by themselves, with a form of the kind that RFC 8058 gives them, and without a file.
ONE_CLICK = frozenset({"notification_stop", "report_stop"})
# GET has an effect here, so HEAD and OPTIONS are not answered: the vendor's redirect uses up the state and its code.
GET_ONLY = frozenset(
    {"oauth_redirect", "openid_connect_login", "openid_connect_callback", "saml_login", "saml_finish"},
)


def policy_row(view_name: str) -> str:
    """The key of the row of `POLICY` that a page falls under; the name itself if there is none."""
    if view_name in POLICY:
        return view_name
    fitting = [key for key in POLICY if key.endswith("*") and view_name.startswith(key[:-1])]
    return max(fitting, key=len, default=view_name)


def required_role(view_name: str, method: str) -> str | None:
    """The role that a page requires for a method, or None if nobody may. HEAD counts as GET, except in `GET_ONLY`."""
    row = POLICY.get(policy_row(view_name), {})
    return row.get("GET" if method == "HEAD" and view_name not in GET_ONLY else method)


def is_public(view_name: str) -> bool:
    """Whether anybody may open the page by every method that it has."""
    return set(POLICY.get(policy_row(view_name), {}).values()) == {PUBLIC}


def may(user: AbstractBaseUser | AnonymousUser, view_name: str, method: str = "GET") -> bool:
    """Whether this account may call that page."""
    needed = required_role(view_name, method)
    if needed is None:
        return False
    if needed == PUBLIC:
        return True
    return _holds(user, needed) and not page_sight.is_beyond(user, policy_row(view_name))


def _holds(user: AbstractBaseUser | AnonymousUser, needed: str) -> bool:
    if needed == SIGNED_IN:
        return user.is_active and not user.is_anonymous
    return needed in roles_of(user)


def is_beyond_sight(user: AbstractBaseUser | AnonymousUser, view_name: str, method: str) -> bool:
    """Whether only the limited sight of this account keeps it from a page."""
    needed = required_role(view_name, method)
    return needed not in (None, PUBLIC) and _holds(user, str(needed)) and not may(user, view_name, method)
