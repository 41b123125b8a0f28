"""Store the words of the question.

1. Refuse a change if somebody else has changed them since the form was opened.
2. Store them, and what they were before in the audit trail. Mails that are queued already keep their words.
"""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from reclamation.asking import wording
from reclamation.models import NoticeTemplate
from samsaas import audit
from samsaas.lib import edits


def run(subject: str, text: str, *, version: int, by: User, now: datetime) -> NoticeTemplate:
    """Raises `edits.EditConflict`; nothing is written then. The caller has asked `wording.problem`."""
    try:
        return _store(subject, text, version, by, now)
    except IntegrityError as overtaken:  # somebody else stored the first row
        raise edits.EditConflict from overtaken


@transaction.atomic
def _store(subject: str, text: str, version: int, by: User, now: datetime) -> NoticeTemplate:
    NoticeTemplate.objects.select_for_update().filter(kind=NoticeTemplate.ASK).first()
    template = wording.stored()
    edits.refuse_stale(version, template.version)
    changes = edits.set_changed(template, {"subject": subject, "text": text}, ("subject", "text"))
    if changes:
        template.version, template.changed_by, template.changed_at = template.version + 1, by, now
        template.save()
        audit.record(by, "changed text of notices", template, before=changes.before, after=changes.after)
    return template
