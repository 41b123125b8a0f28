"""Pages of removal candidates."""

from django.urls import path

from reclamation import views as candidates
from reclamation.asking import views as asking

urlpatterns = [
    path("removal-candidates/", candidates.candidate_list, name="candidate_list"),
    path("removal-candidates/export/", candidates.candidate_export, name="candidate_export"),
    path("removal-candidates/<int:pk>/", candidates.candidate_detail, name="candidate_detail"),
    path("removal-candidates/<int:pk>/skip/", candidates.candidate_skip, name="candidate_skip"),
    path("keep/<str:token>", asking.keep, name="keep"),
    path("outbox/", asking.notice_list, name="notice_list"),
    path("outbox/<int:pk>/", asking.notice_detail, name="notice_detail"),
    path("outbox/<int:pk>/resend/", asking.notice_resend, name="notice_resend"),
    path("outbox/<int:pk>/returned/", asking.notice_bounced, name="notice_bounced"),
    path("outbox/text/", asking.notice_template, name="notice_template"),
    path("approvals/", asking.approval_list, name="approval_list"),
    path("approvals/<int:pk>/", asking.approval_decide, name="approval_decide"),
    path("approvals/link/<str:token>/", asking.approval_link, name="approval_link"),
    path("subscriptions/<int:pk>/propose/", candidates.candidate_propose, name="candidate_propose"),
]
