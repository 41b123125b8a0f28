"""The audit trail in the REST API."""

from __future__ import annotations

from samsaas.api.reading import Resource
from samsaas.api.routes import read_routes
from samsaas.api.rows import ApiRow
from samsaas.audit_trail import AuditFilter
from samsaas.models import AuditEntry


class AuditEntryRow(ApiRow):
    class Meta:
        model = AuditEntry
        fields = ("id", "at", "actor_id", "actor_name", "verb", "object_type", "object_id", "object_name", "detail")


class AuditEntries(Resource):
    """The audit trail: who did what to which object, and what changed."""

    model, serializer_class, filterset = AuditEntry, AuditEntryRow, AuditFilter


patterns = read_routes("audit-entries", "audit_entry", AuditEntries)
