"""Pages of software subscriptions, their people and use, software models, identifiers and exclusion rules."""

from django.urls import URLPattern, path

from subscriptions import views as subscriptions
from subscriptions.activity import views as activity
from subscriptions.exclusions import views as exclusions
from subscriptions.matching import views as matching
from subscriptions.people import views as people
from subscriptions.people.imports import views as people_imports
from subscriptions.software import views as software


def exclusion_urls(kind: str, folder: str) -> list[URLPattern]:
    """The pages of one kind of exclusion rule."""
    start, options = f"exclusions/{folder}/", {"kind": kind}
    return [
        path(start, exclusions.exclusion_list, options, name=f"{kind}_list"),
        path(f"{start}new/", exclusions.exclusion_new, options, name=f"{kind}_new"),
        path(f"{start}<int:pk>/", exclusions.exclusion_edit, options, name=f"{kind}_edit"),
        path(f"{start}<int:pk>/delete/", exclusions.exclusion_delete, options, name=f"{kind}_delete"),
    ]


urlpatterns = [
    path("subscriptions/", subscriptions.subscription_list, name="subscription_list"),
    path("subscriptions/export/", subscriptions.subscription_export, name="subscription_export"),
    path("subscriptions/<int:pk>/", subscriptions.subscription_detail, name="subscription_detail"),
    path("subscriptions-without-user/", matching.unmatched_list, name="unmatched_list"),
    path("subscriptions-without-user/match/", matching.unmatched_match, name="unmatched_match"),
    path("subscriptions/<int:pk>/user/", matching.unmatched_search, name="unmatched_search"),
    path("subscriptions/<int:pk>/user/remove/", matching.unmatched_remove, name="unmatched_remove"),
    path("people/", people.person_list, name="person_list"),
    path("people/new/", people.person_create, name="person_create"),
    path("people/<int:pk>/", people.person_detail, name="person_detail"),
    path("people/<int:pk>/edit/", people.person_edit, name="person_edit"),
    path("people/<int:pk>/delete/", people.person_delete, name="person_delete"),
    path("people/<int:pk>/account/", people.person_account, name="person_account"),
    path("people/imports/", people_imports.person_import_new, name="person_import_new"),
    path("people/imports/example/", people_imports.person_import_example, name="person_import_example"),
    path("people/imports/<int:pk>/", people_imports.person_import_detail, name="person_import_detail"),
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
    *exclusion_urls("identifier_exclusion", "identifiers"),
    *exclusion_urls("user_exclusion", "users"),
    path("integration-profiles/<int:pk>/read-again/", activity.activity_read_again, name="activity_read_again"),
    path("integration-profiles/<int:pk>/further-back/", activity.activity_further_back, name="activity_further_back"),
    path("what-counts-as-use/", activity.activity_type_list, name="activity_type_list"),
]
