"""Pages of removal candidates, of the reasons of all subscriptions, of rules, back-tests and exemptions."""

from django.urls import path

from reclamation import views as candidates
from reclamation.asking import views as asking
from reclamation.back_tests import views as back_tests
from reclamation.removal import views as removals
from reclamation.rules import views as rules
from reclamation.rules.editing import views as rule_editing
from reclamation.savings import views as savings
from reclamation.selected import seat_views, views as selected
from reclamation.why import views as why

urlpatterns = [
    path("removal-candidates/", candidates.candidate_list, name="candidate_list"),
    path("removal-candidates/export/", candidates.candidate_export, name="candidate_export"),
    path("removal-candidates/select/", selected.candidate_select, name="candidate_select"),
    path("removal-candidates/assign/", selected.candidate_assign, name="candidate_assign"),
    path("removal-candidates/assign/undo/", selected.candidate_assign_undo, name="candidate_assign_undo"),
    path("removal-candidates/close/", selected.candidate_close, name="candidate_close"),
    path("removal-candidates/note/", selected.candidate_note, name="candidate_note"),
    path("removal-candidates/<int:pk>/", candidates.candidate_detail, name="candidate_detail"),
    path("removal-candidates/<int:pk>/evidence-file/", candidates.candidate_evidence, name="candidate_evidence"),
    path("removal-candidates/<int:pk>/skip/", candidates.candidate_skip, name="candidate_skip"),
    path("removal-candidates/<int:pk>/resume/", removals.candidate_resume, name="candidate_resume"),
    path("removal-batches/", removals.batch_list, name="batch_list"),
    path("removal-batches/new/", removals.batch_confirm, name="batch_confirm"),
    path("removal-batches/<int:pk>/", removals.batch_detail, name="batch_detail"),
    path("removal-batches/<int:pk>/decide/", removals.batch_decide, name="batch_decide"),
    path("removals/", removals.attempt_list, name="attempt_list"),
    path("removals/switch/", removals.removal_switch, name="removal_switch"),
    path("removals/switch/on/", removals.removal_switch_on, name="removal_switch_on"),
    path("removals/<int:pk>/look/", removals.attempt_look, name="attempt_look"),
    path("removals/<int:pk>/restore/", removals.attempt_restore, name="attempt_restore"),
    path("removals/<int:pk>/move/", removals.attempt_move, name="attempt_move"),
    path("removals/<int:pk>/decide/", removals.attempt_decide, name="attempt_decide"),
    path("savings/", savings.savings_list, name="savings_list"),
    path("savings/entries/", savings.savings_entries, name="savings_entries"),
    path("savings/entries/export/", savings.savings_export, name="savings_export"),
    path("keep/<str:token>", asking.keep, name="keep"),
    path("outbox/", asking.notice_list, name="notice_list"),
    path("outbox/<int:pk>/", asking.notice_detail, name="notice_detail"),
    path("outbox/select/", asking.notice_select, name="notice_select"),
    path("outbox/resend-selected/", asking.notice_resend_selected, name="notice_resend_selected"),
    path("outbox/<int:pk>/resend/", asking.notice_resend, name="notice_resend"),
    path("outbox/<int:pk>/returned/", asking.notice_bounced, name="notice_bounced"),
    path("outbox/text/", asking.notice_template, name="notice_template"),
    path("approvals/", asking.approval_list, name="approval_list"),
    path("approvals/<int:pk>/", asking.approval_decide, name="approval_decide"),
    path("approvals/link/<str:token>/", asking.approval_link, name="approval_link"),
    path("subscriptions/propose/", seat_views.candidate_propose_selected, name="candidate_propose_selected"),
    path("subscriptions/<int:pk>/propose/", candidates.candidate_propose, name="candidate_propose"),
    path("reasons/", why.reason_list, name="reason_list"),
    path("integration-profiles/<int:pk>/reasons/", why.reason_sums, name="reason_sums"),
    path("integration-profiles/<int:pk>/reasons/subscriptions/", why.reason_rows, name="reason_rows"),
    path("reclamation-rules/", rules.rule_list, name="rule_list"),
    path("reclamation-rules/<int:pk>/", rules.rule_detail, name="rule_detail"),
    path("reclamation-rules/<int:pk>/observations/", rules.rule_observations, name="rule_observations"),
    path("reclamation-rules/<int:pk>/edit/", rule_editing.rule_edit, name="rule_edit"),
    path("reclamation-rules/<int:pk>/review/", rule_editing.rule_review, name="rule_review"),
    path("reclamation-rules/<int:pk>/back-tests/", back_tests.backtest_list, name="backtest_list"),
    path("reclamation-rules/<int:pk>/back-tests/new/", back_tests.backtest_new, name="backtest_new"),
    path("back-tests/<int:pk>/", back_tests.backtest_detail, name="backtest_detail"),
    path("back-tests/<int:pk>/export/", back_tests.backtest_export, name="backtest_export"),
    path("exemptions/", rules.exemption_list, name="exemption_list"),
    path("exemptions/new/", rules.exemption_new, name="exemption_new"),
    path("exemptions/import/", rules.exemption_import, name="exemption_import"),
    path("exemptions/select/", rules.exemption_select, name="exemption_select"),
    path("exemptions/end-selected/", rules.exemption_end_selected, name="exemption_end_selected"),
    path("exemptions/<int:pk>/end/", rules.exemption_end, name="exemption_end"),
]
