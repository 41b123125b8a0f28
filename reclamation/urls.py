"""Pages of removal candidates, of the reasons of all subscriptions, and of exemptions."""

from django.urls import path

from reclamation import views as candidates
from reclamation.rules import views as rules
from reclamation.why import views as why

urlpatterns = [
    path("removal-candidates/", candidates.candidate_list, name="candidate_list"),
    path("removal-candidates/export/", candidates.candidate_export, name="candidate_export"),
    path("removal-candidates/<int:pk>/", candidates.candidate_detail, name="candidate_detail"),
    path("removal-candidates/<int:pk>/skip/", candidates.candidate_skip, name="candidate_skip"),
    path("subscriptions/<int:pk>/propose/", candidates.candidate_propose, name="candidate_propose"),
    path("reasons/", why.reason_list, name="reason_list"),
    path("integration-profiles/<int:pk>/reasons/", why.reason_sums, name="reason_sums"),
    path("integration-profiles/<int:pk>/reasons/subscriptions/", why.reason_rows, name="reason_rows"),
    path("exemptions/", rules.exemption_list, name="exemption_list"),
    path("exemptions/new/", rules.exemption_new, name="exemption_new"),
    path("exemptions/import/", rules.exemption_import, name="exemption_import"),
    path("exemptions/<int:pk>/end/", rules.exemption_end, name="exemption_end"),
]
