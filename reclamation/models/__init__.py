"""Removal candidates, the rules that find them, back-tests, what people were asked, removals, and the ledger."""

from reclamation.models.asking import Approval, CandidateNote, KeepAnswer, Notice
from reclamation.models.back_test import BackTest, BackTestFinding
from reclamation.models.candidate import NOT_ABOUT_USE, RemovalCandidate, StateChange
from reclamation.models.notice_template import NoticeTemplate
from reclamation.models.removal import ReclamationSwitch, RemovalAttempt, RemovalBatch
from reclamation.models.rule import Exemption, Observation, ReclamationRule, RuleVersion
from reclamation.models.savings import SavingsEntry

__all__ = [
    "NOT_ABOUT_USE",
    "Approval",
    "BackTest",
    "BackTestFinding",
    "CandidateNote",
    "Exemption",
    "KeepAnswer",
    "Notice",
    "NoticeTemplate",
    "Observation",
    "ReclamationRule",
    "ReclamationSwitch",
    "RemovalAttempt",
    "RemovalBatch",
    "RemovalCandidate",
    "RuleVersion",
    "SavingsEntry",
    "StateChange",
]
