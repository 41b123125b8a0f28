"""Tests by name that catch a mutant. `pytest -p tests.proofs.removals.named_tests` applies the one that MUTANT names.

A story may need long to meet the moment that a guard is for. Such a test was written for that moment.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests import compose

REMOVAL = "tests/reclamation/removal/test_removal.py::test_"
ANSWERS = "tests/reclamation/removal/test_lost_answers.py::test_"
GATE = "tests/reclamation/removal/test_gate.py::test_"
BATCHES = "tests/reclamation/removal/test_batches.py::test_"
AFTER = "tests/reclamation/removal/test_afterwards.py::"
APPROVE = "tests/reclamation/asking/test_approve.py::test_"
LOST = f"{ANSWERS}a_lost_answer_is_followed_by_looks_and_never_by_a_second_blind_call"
DIED = f"{AFTER}TestSweep::test_a_call_whose_worker_died_becomes_unknown_and_is_never_sent_again"
REFUSED = (
    "tests/reclamation/removal/test_refusals.py::TestRemove::"
    "test_a_tag_waits_for_the_transfer_or_for_a_person_and_is_never_looked_into_as_a_lost_answer"
)
TRANSFER = f"{AFTER}TestDecisions::test_a_lost_answer_to_the_transfer_is_never_followed_by_a_second_one"
SILENCE = f"{GATE}silence_counts_only_after_a_notice_that_was_sent_and_has_expired"
SOMEBODY_ELSE = f"{GATE}the_silence_of_somebody_else_is_no_consent"
BETWEEN = f"{GATE}what_changes_between_the_two_gates_stops_the_call"
CAUGHT_BY: dict[str, str] = {
    "activity_is_not_asked": f"{BETWEEN}[use is in the log]",
    "role_is_not_asked": f"{BETWEEN}[another role]",
    "exemptions_are_not_asked": f"{BETWEEN}[exempt]",
    "keeping_is_not_asked": f"{BETWEEN}[kept]",
    "came_back_is_not_asked": f"{ANSWERS}who_is_restored_while_nobody_knows_is_never_removed_again",
    "switch_is_not_read": f"{BATCHES}the_switch_pressed_in_mid_batch_lets_no_further_call_out",
    "second_gate_is_left_out": f"{GATE}who_becomes_active_between_two_calls_of_one_batch_is_kept",
    "old_answers_are_acted_on": f"{GATE}an_answer_older_than_five_seconds_is_not_acted_on",
    "lost_answer_means_removed": LOST,
    "lost_answer_means_nothing_happened": LOST,
    "no_quarantine_before_the_looks": LOST,
    "one_look_is_enough": LOST,
    "intent_is_not_committed_first": DIED,
    "dead_calls_are_sent_again": DIED,
    "no_fence_and_no_freshness": f"{ANSWERS}a_worker_that_stood_still_and_was_overtaken_calls_nobody",
    "limits_are_not_counted": f"{BATCHES}split_over_many_batches_no_more_are_removed_than_the_quota",
    "lost_calls_are_not_counted": f"{ANSWERS}a_call_whose_answer_was_lost_counts_for_the_limits_all_the_same",
    "second_profile_is_another_team": f"{BATCHES}two_profiles_of_one_team_share_its_limits_and_its_member",
    "moves_without_a_look": f"{REMOVAL}restored_in_the_vendors_console_nothing_is_moved",
    "lost_transfer_is_sent_again": TRANSFER,
    "a_skip_does_not_end_the_attempt": f"{BATCHES}skipping_ends_what_has_not_begun_and_is_refused_afterwards",
    "gone_means_removed_by_us": REFUSED,
    "late_work_is_not_asked_about": f"{ANSWERS}a_job_without_end_becomes_a_persons",
    "restored_seats_stay_ended": f"{REMOVAL}a_restored_member_has_its_seat_again_and_is_left_alone",
    "removed_is_never_finished": f"{REMOVAL}a_removed_member_frees_its_seat_at_once_and_its_files_move_a_week_later",
    "unsent_mails_count_as_silence": SILENCE,
    "notice_is_not_waited_for": SILENCE,
    "silence_of_another_person_counts": SOMEBODY_ELSE,
    "changed_addresses_are_not_seen": SOMEBODY_ELSE,
    "requesters_approve_their_own": f"{APPROVE}nobody_approves_what_they_asked_for",
    "second_person_is_not_needed": f"{BATCHES}above_the_quota_of_a_day_or_a_week_a_second_person_is_needed",
    "looks_are_ordered_by_clocks": f"{ANSWERS}looks_before_a_call_by_a_clock_that_is_set_back_are_no_looks_after_it",
    "clocks_never_differ": f"{ANSWERS}who_is_restored_by_a_clock_that_is_behind_is_never_removed_again",
}


def catches(name: str) -> bool:
    """Whether its test fails with this mutant, in a process of its own."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "tests.proofs.removals.named_tests", CAUGHT_BY[name]]
    environment = {**os.environ, "MUTANT": name}
    environment.pop("DATABASE_URL", None)
    done = subprocess.run(command, cwd=compose.ROOT, env=environment, capture_output=True, text=True, check=False)
    return done.returncode == pytest.ExitCode.TESTS_FAILED and "\nFAILED " in done.stdout


def pytest_collection_finish(session: pytest.Session) -> None:
    """Apply the mutant, once Django is ready and the tests are known."""
    if name := os.environ.get("MUTANT"):
        from tests.proofs.removals.mutants import MUTANTS  # noqa: PLC0415 - Django has to be ready

        MUTANTS[name](pytest.MonkeyPatch())
