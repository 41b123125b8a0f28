"""The project's own tables: audit trail, sign-ins and accounts, mails, notifications, API tokens, lists, heartbeats."""

from samsaas.models.api import ApiCall, ApiToken
from samsaas.models.audit import AuditEntry, AuditSeal
from samsaas.models.exports import ExportedList, ExportedPiece
from samsaas.models.lists import ListPreference, SavedView, SavedViewQuerySet, keep_shared
from samsaas.models.mail import Mail
from samsaas.models.notification import Notification, NotificationChoices, Webhook, WebhookCall
from samsaas.models.personal import KeptSecret, PersonalZone
from samsaas.models.process import ChecklistTick, Heartbeat
from samsaas.models.report import Report, ReportRecipient
from samsaas.models.sign_in import (
    AccountSession,
    FailedSignIns,
    GuessCount,
    Invitation,
    LocalAdministrator,
    PasswordLink,
    PasswordResetRequest,
    SecondFactorSecret,
)

__all__ = [
    "AccountSession",
    "ApiCall",
    "ApiToken",
    "AuditEntry",
    "AuditSeal",
    "ChecklistTick",
    "ExportedList",
    "ExportedPiece",
    "FailedSignIns",
    "GuessCount",
    "Heartbeat",
    "Invitation",
    "KeptSecret",
    "ListPreference",
    "LocalAdministrator",
    "Mail",
    "Notification",
    "NotificationChoices",
    "PasswordLink",
    "PasswordResetRequest",
    "PersonalZone",
    "Report",
    "ReportRecipient",
    "SavedView",
    "SavedViewQuerySet",
    "SecondFactorSecret",
    "Webhook",
    "WebhookCall",
    "keep_shared",
]
