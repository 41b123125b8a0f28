"""Pages of software subscriptions, their people and use, software models, identifiers and exclusion rules."""

from django.urls import URLPattern, path

from subscriptions import views as subscriptions
from subscriptions.activity import views as activity
from subscriptions.entitlements import views as entitlements
from subscriptions.entitlements.allocations import views as allocations
from subscriptions.entitlements.imports import views as entitlement_imports
from subscriptions.entitlements.recording import views as recording
from subscriptions.exclusions import selected_views as excluding, views as exclusions
from subscriptions.matching import selected_views as selected, views as matching
from subscriptions.people import merge_views, views as people
from subscriptions.people.imports import views as people_imports
from subscriptions.reconciliation import views as reconciliations
from subscriptions.reconciliation.exports import views as positions
from subscriptions.remedies import views as remedies
from subscriptions.renewals import views as renewals
from subscriptions.software import views as software
from subscriptions.usage import metric_views as metrics, several_views, views as usage
from subscriptions.vendor_drift import views as vendor_drift


def exclusion_urls(kind: str, folder: str) -> list[URLPattern]:
    """The pages of one kind of exclusion rule."""
    start, options = f"exclusions/{folder}/", {"kind": kind}
    return [
        path(start, exclusions.exclusion_list, options, name=f"{kind}_list"),
        path(f"{start}new/", exclusions.exclusion_new, options, name=f"{kind}_new"),
        path(f"{start}<int:pk>/", exclusions.exclusion_edit, options, name=f"{kind}_edit"),
        path(f"{start}<int:pk>/delete/", exclusions.exclusion_delete, options, name=f"{kind}_delete"),
    ]


def entitlement_urls() -> list[URLPattern]:
    """The pages of entitlements, of their allocations, and of files of them."""
    start, one, file = "entitlements/", "entitlements/<int:pk>/", "entitlements/imports/<int:pk>/"
    return [
        path(start, entitlements.entitlement_list, name="entitlement_list"),
        path(f"{start}select/", entitlements.entitlement_select, name="entitlement_select"),
        path(f"{start}publish/", entitlements.entitlement_publish_selected, name="entitlement_publish_selected"),
        path(f"{start}export/", entitlements.entitlement_export, name="entitlement_export"),
        path(f"{start}new/", recording.entitlement_new, name="entitlement_new"),
        path(one, entitlements.entitlement_detail, name="entitlement_detail"),
        path(f"{one}edit/", recording.entitlement_edit, name="entitlement_edit"),
        path(f"{one}publish/", entitlements.entitlement_publish, name="entitlement_publish"),
        path(f"{one}retire/", entitlements.entitlement_retire, name="entitlement_retire"),
        path(f"{one}renew/", renewals.entitlement_renew, name="entitlement_renew"),
        path(f"{one}delete/", entitlements.entitlement_delete, name="entitlement_delete"),
        path(f"{one}versions/", entitlements.entitlement_versions, name="entitlement_versions"),
        path(f"{one}allocations/", allocations.allocation_list, name="allocation_list"),
        path(f"{one}allocations/new/", allocations.allocation_new, name="allocation_new"),
        path("allocations/import/", allocations.allocation_import, name="allocation_import"),
        path(f"{one}allocations/carry/", allocations.allocation_carry, name="allocation_carry"),
        path("allocations/example/", allocations.allocation_example, name="allocation_example"),
        path("allocations/<int:pk>/release/", allocations.allocation_release, name="allocation_release"),
        path(f"{start}imports/", entitlement_imports.entitlement_import_new, name="entitlement_import_new"),
        path(
            f"{start}imports/template/",
            entitlement_imports.entitlement_import_template,
            name="entitlement_import_template",
        ),
        path(file, entitlement_imports.entitlement_import_detail, name="entitlement_import_detail"),
        path(f"{file}columns/", entitlement_imports.entitlement_import_columns, name="entitlement_import_columns"),
        path(f"{file}read/", entitlement_imports.entitlement_import_read, name="entitlement_import_read"),
        path(f"{file}apply/", entitlement_imports.entitlement_import_apply, name="entitlement_import_apply"),
        path(f"{file}discard/", entitlement_imports.entitlement_import_discard, name="entitlement_import_discard"),
        path(f"{file}errors/", entitlement_imports.entitlement_import_errors, name="entitlement_import_errors"),
    ]


def usage_urls() -> list[URLPattern]:
    """The pages of the license position, from the publisher down to the subscription, and of what mends it."""
    metric = "metric-results/<int:pk>/"
    return [
        path("license-usage/", usage.license_usage, name="license-usage"),
        path("license-usage-pin/", usage.license_usage_pin, name="license_usage_pin"),
        path("license-usage/<path:publisher>/", usage.publisher_result, name="publisher_result"),
        path("product-results/<int:pk>/", usage.product_result, name="product_result"),
        path("model-results/<int:pk>/", usage.model_result, name="model_result"),
        path("software-models/<int:pk>/position/", metrics.model_position, name="model_position"),
        path(metric, metrics.metric_result, name="metric_result"),
        path(f"{metric}subscriptions/", metrics.seat_result_list, name="seat_result_list"),
        path(f"{metric}groups/", metrics.group_result_list, name="group_result_list"),
        path(f"{metric}allocations/", metrics.held_right_list, name="held_right_list"),
        path("remedies/<int:pk>/", remedies.remedy_apply, name="remedy_apply"),
    ]


def reconciliation_urls() -> list[URLPattern]:
    """The pages of reconciliations."""
    one = "reconciliations/<int:pk>/"
    return [
        path("reconciliations/", reconciliations.reconciliation_list, name="reconciliations"),
        path("reconciliations/new/", reconciliations.reconciliation_new, name="reconciliation_new"),
        path(one, reconciliations.reconciliation_detail, name="reconciliation_detail"),
        path(f"{one}cancel/", reconciliations.reconciliation_cancel, name="reconciliation_cancel"),
        path(f"{one}keep/", reconciliations.reconciliation_keep, name="reconciliation_keep"),
        path(f"{one}listed/<str:kind>/", reconciliations.reconciliation_seats, name="reconciliation_seats"),
    ]


urlpatterns = [
    path("subscriptions/", subscriptions.subscription_list, name="subscription_list"),
    path("subscriptions/select/", subscriptions.subscription_select, name="subscription_select"),
    path("subscriptions/exclude/", excluding.user_exclusion_selected, name="user_exclusion_selected"),
    path("subscriptions/exclude/undo/", excluding.user_exclusion_undo, name="user_exclusion_undo"),
    path("subscriptions/export/", subscriptions.subscription_export, name="subscription_export"),
    path("subscriptions/<int:pk>/", subscriptions.subscription_detail, name="subscription_detail"),
    path("subscriptions-without-user/", matching.unmatched_list, name="unmatched_list"),
    path("subscriptions-without-user/select/", selected.unmatched_select, name="unmatched_select"),
    path(
        "subscriptions-without-user/match-selected/",
        selected.unmatched_match_selected,
        name="unmatched_match_selected",
    ),
    path(
        "subscriptions-without-user/assign-selected/",
        selected.unmatched_assign_selected,
        name="unmatched_assign_selected",
    ),
    path("subscriptions-without-user/match-selected/undo/", selected.unmatched_match_undo, name="unmatched_match_undo"),
    path("subscriptions-without-user/match/", matching.unmatched_match, name="unmatched_match"),
    path("subscriptions/<int:pk>/user/", matching.unmatched_search, name="unmatched_search"),
    path("subscriptions/<int:pk>/user/remove/", matching.unmatched_remove, name="unmatched_remove"),
    path("people/", people.person_list, name="person_list"),
    path("people/new/", people.person_create, name="person_create"),
    path("people/<int:pk>/", people.person_detail, name="person_detail"),
    path("people/<int:pk>/edit/", people.person_edit, name="person_edit"),
    path("people/<int:pk>/delete/", people.person_delete, name="person_delete"),
    path("people/<int:pk>/account/", people.person_account, name="person_account"),
    path("people/<int:pk>/merge/", merge_views.person_merge, name="person_merge"),
    path("people/several-subscriptions/", several_views.several_subscriptions, name="several_subscriptions"),
    path(
        "people/several-subscriptions/export/",
        several_views.several_subscriptions_export,
        name="several_subscriptions_export",
    ),
    path("people/imports/", people_imports.person_import_new, name="person_import_new"),
    path("people/imports/example/", people_imports.person_import_example, name="person_import_example"),
    path("people/imports/<int:pk>/", people_imports.person_import_detail, name="person_import_detail"),
    path("people/imports/<int:pk>/columns/", people_imports.person_import_columns, name="person_import_columns"),
    path("people/imports/<int:pk>/read/", people_imports.person_import_read, name="person_import_read"),
    path("people/imports/<int:pk>/apply/", people_imports.person_import_apply, name="person_import_apply"),
    path("people/imports/<int:pk>/discard/", people_imports.person_import_discard, name="person_import_discard"),
    path("people/imports/<int:pk>/subscriptions/", people_imports.person_import_seats, name="person_import_seats"),
    path("people/imports/<int:pk>/errors/", people_imports.person_import_errors, name="person_import_errors"),
    path("user-resolution-rules/", matching.resolution_rule_list, name="resolution_rule_list"),
    path("user-resolution-rules/new/", matching.resolution_rule_create, name="resolution_rule_create"),
    path("user-resolution-rules/<int:pk>/", matching.resolution_rule_edit, name="resolution_rule_edit"),
    path("user-resolution-rules/<int:pk>/delete/", matching.resolution_rule_delete, name="resolution_rule_delete"),
    path("user-resolution-rules/<int:pk>/move/", matching.resolution_rule_move, name="resolution_rule_move"),
    path("software-models/", software.software_model_list, name="software_model_list"),
    path("software-models/<int:pk>/", software.software_model_detail, name="software_model_detail"),
    path("software-models/<int:pk>/edit/", software.software_model_edit, name="software_model_edit"),
    path("software-models/<int:pk>/delete/", software.software_model_delete, name="software_model_delete"),
    path("subscription-identifiers/", software.identifier_list, name="identifier_list"),
    path("subscription-identifiers/<int:pk>/", software.identifier_detail, name="identifier_detail"),
    path("subscription-identifiers/<int:pk>/map/", software.identifier_map, name="identifier_map"),
    path("subscription-identifiers/<int:pk>/unmap/", software.identifier_unmap, name="identifier_unmap"),
    *entitlement_urls(),
    path("renewals/", renewals.renewals, name="renewals"),
    path("renewals/<int:pk>/", renewals.renewal_detail, name="renewal_detail"),
    path("renewals/<int:pk>/reduction/", renewals.renewal_ask, name="renewal_ask"),
    *usage_urls(),
    *reconciliation_urls(),
    path("reconciliations/<int:pk>/position.csv", positions.position_csv, name="position_csv"),
    path("reconciliations/<int:pk>/position.xlsx", positions.position_xlsx, name="position_xlsx"),
    path("reconciliations/<int:pk>/print/", positions.position_print, name="position_print"),
    path("vendor-drift/", vendor_drift.vendor_drift, name="vendor-drift"),
    *exclusion_urls("identifier_exclusion", "identifiers"),
    *exclusion_urls("user_exclusion", "users"),
    path("integration-profiles/<int:pk>/read-again/", activity.activity_read_again, name="activity_read_again"),
    path("integration-profiles/<int:pk>/further-back/", activity.activity_further_back, name="activity_further_back"),
    path("what-counts-as-use/", activity.activity_type_list, name="activity_type_list"),
]
