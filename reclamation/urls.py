"""Pages of removal candidates."""

from django.urls import path

from reclamation import views as candidates

urlpatterns = [
    path("removal-candidates/", candidates.candidate_list, name="candidate_list"),
    path("removal-candidates/export/", candidates.candidate_export, name="candidate_export"),
    path("removal-candidates/<int:pk>/", candidates.candidate_detail, name="candidate_detail"),
    path("removal-candidates/<int:pk>/evidence-file/", candidates.candidate_evidence, name="candidate_evidence"),
    path("removal-candidates/<int:pk>/skip/", candidates.candidate_skip, name="candidate_skip"),
    path("subscriptions/<int:pk>/propose/", candidates.candidate_propose, name="candidate_propose"),
]
