"""Software models and their identifiers, seats, their use and their people, exclusion rules, rights and positions."""

from subscriptions.models.activity import ActivityCoverage, ActivityDay, LastActivity, NameInLog, ReadDay
from subscriptions.models.entitlement import Allocation, Entitlement, EntitlementVersion
from subscriptions.models.entitlement_import import (
    EntitlementImport,
    EntitlementImportPiece,
    EntitlementImportRow,
)
from subscriptions.models.exclusion import IdentifierExclusion, UserExclusion
from subscriptions.models.file_import import FileImport
from subscriptions.models.listing import AcceptedListing
from subscriptions.models.person import (
    FormerAddress,
    Match,
    Person,
    PersonAddress,
    ResolutionRule,
    normalize_address,
)
from subscriptions.models.person_import import (
    PersonImport,
    PersonImportLayout,
    PersonImportOverlap,
    PersonImportPiece,
    PersonImportRow,
    PersonImportSeat,
)
from subscriptions.models.position_document import PositionDocument
from subscriptions.models.reconciliation import (
    ComplianceStatus,
    GroupResult,
    MetricResult,
    ModelResult,
    PinnedPublisher,
    PositionGroup,
    PreferredCurrency,
    ProductResult,
    ReconciliationRun,
    SeatResult,
    UseDay,
)
from subscriptions.models.remediation import RemediationOption
from subscriptions.models.renewal_reminder import RenewalReminder
from subscriptions.models.seat_count import SeatCount, SeatCounting, SeatsChanged
from subscriptions.models.software import SoftwareModel, SubscriptionIdentifier
from subscriptions.models.subscription import Subscription
from subscriptions.models.version import SubscriptionVersion

__all__ = [
    "AcceptedListing",
    "ActivityCoverage",
    "ActivityDay",
    "Allocation",
    "ComplianceStatus",
    "Entitlement",
    "EntitlementImport",
    "EntitlementImportPiece",
    "EntitlementImportRow",
    "EntitlementVersion",
    "FileImport",
    "FormerAddress",
    "GroupResult",
    "IdentifierExclusion",
    "LastActivity",
    "Match",
    "MetricResult",
    "ModelResult",
    "NameInLog",
    "Person",
    "PersonAddress",
    "PersonImport",
    "PersonImportLayout",
    "PersonImportOverlap",
    "PersonImportPiece",
    "PersonImportRow",
    "PersonImportSeat",
    "PinnedPublisher",
    "PositionDocument",
    "PositionGroup",
    "PreferredCurrency",
    "ProductResult",
    "ReadDay",
    "ReconciliationRun",
    "RemediationOption",
    "RenewalReminder",
    "ResolutionRule",
    "SeatCount",
    "SeatCounting",
    "SeatResult",
    "SeatsChanged",
    "SoftwareModel",
    "Subscription",
    "SubscriptionIdentifier",
    "SubscriptionVersion",
    "UseDay",
    "UserExclusion",
    "normalize_address",
]
