"""Pages of removal candidates."""

from django.urls import path

from reclamation import views as candidates
from reclamation.selected import views as selected

urlpatterns = [
    path("removal-candidates/", candidates.candidate_list, name="candidate_list"),
    path("removal-candidates/export/", candidates.candidate_export, name="candidate_export"),
    path("removal-candidates/select/", selected.candidate_select, name="candidate_select"),
    path("removal-candidates/assign/", selected.candidate_assign, name="candidate_assign"),
    path("removal-candidates/assign/undo/", selected.candidate_assign_undo, name="candidate_assign_undo"),
    path("removal-candidates/close/", selected.candidate_close, name="candidate_close"),
    path("removal-candidates/note/", selected.candidate_note, name="candidate_note"),
    path("removal-candidates/<int:pk>/", candidates.candidate_detail, name="candidate_detail"),
    path("removal-candidates/<int:pk>/skip/", candidates.candidate_skip, name="candidate_skip"),
    path("subscriptions/<int:pk>/propose/", candidates.candidate_propose, name="candidate_propose"),
]
