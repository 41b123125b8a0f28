"""The kinds of events: what they are called, whose they are, and what is mailed unless a person says otherwise."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import User

from samsaas import policy, roles
from samsaas.roles import ADMIN, SAM_ADMIN, SAM_INTEGRATOR

OFF, AT_ONCE, DAILY = "off", "at_once", "daily"
EVERY = "*"  # in the choices of a person: what holds for every kind without a choice, also one of a later version
CHOICES = ((OFF, "No mail"), (AT_ONCE, "At once"), (DAILY, "Once a day"))


@dataclass(frozen=True)
class NotificationKind:
    """`page` is the URL name of the page about it: whoever may not open that is told nothing.

    Who has `role`, and so can do something about it, gets `mail`; all others get none, until they choose.
    """

    key: str
    label: str
    page: str
    role: str
    mail: str

    def is_for(self, user: User) -> bool:
        return policy.may(user, self.page)

    def usual_mail(self, user: User) -> str:
        """What this account gets by mail unless it chose otherwise."""
        return self.mail if self.role in roles.roles_of(user) else OFF


RUN_FAILED, RUN_HELD, NEEDS_AUTHORIZATION = "run.failed", "run.held", "profile.needs_authorization"
CANDIDATES_FOUND, BATCH_QUARANTINED = "candidates.found", "batch.quarantined"
ATTEMPT_NEEDS_HUMAN, REGRET_ALARM, SEAT_RESTORED = "attempt.needs_human", "regret.alarm", "seat.restored"
OUT_OF_COMPLIANCE, COMPLIANT_AGAIN = "position.out_of_compliance", "position.compliant_again"
REDUCE_BY, RECONCILIATION_FAILED, DRIFT = "renewal.reduce_by", "reconciliation.failed", "vendor.drift"
WEBHOOK_STOPPED = "webhook.stopped"

KINDS = {
    kind.key: kind
    for kind in (
        NotificationKind(RUN_FAILED, "A run failed", "run_detail", SAM_INTEGRATOR, AT_ONCE),
        NotificationKind(RUN_HELD, "A run waits for confirmation", "run_detail", SAM_INTEGRATOR, AT_ONCE),
        NotificationKind(
            NEEDS_AUTHORIZATION, "A profile needs authorization", "profile_detail", SAM_INTEGRATOR, AT_ONCE
        ),
        NotificationKind(CANDIDATES_FOUND, "Removal candidates were found", "candidate_list", SAM_ADMIN, DAILY),
        NotificationKind(BATCH_QUARANTINED, "A batch waits for a second person", "batch_detail", SAM_ADMIN, AT_ONCE),
        NotificationKind(ATTEMPT_NEEDS_HUMAN, "A removal needs a person", "candidate_detail", SAM_ADMIN, AT_ONCE),
        # Whoever asked for the removal, and the administrators, get a mail of their own.
        NotificationKind(REGRET_ALARM, "Somebody was removed who had used it", "candidate_detail", SAM_ADMIN, OFF),
        NotificationKind(SEAT_RESTORED, "An account was restored", "candidate_detail", SAM_ADMIN, DAILY),
        NotificationKind(OUT_OF_COMPLIANCE, "More is in use than is owned", "license-usage", SAM_ADMIN, DAILY),
        NotificationKind(COMPLIANT_AGAIN, "As much is owned as is in use again", "license-usage", SAM_ADMIN, DAILY),
        # Its owner gets reminders of their own.
        NotificationKind(REDUCE_BY, "A vendor must soon know of a reduction", "renewal_detail", SAM_ADMIN, OFF),
        NotificationKind(RECONCILIATION_FAILED, "A reconciliation failed", "reconciliation_detail", SAM_ADMIN, AT_ONCE),
        NotificationKind(DRIFT, "A vendor counts otherwise", "vendor-drift", SAM_ADMIN, DAILY),
        NotificationKind(WEBHOOK_STOPPED, "A webhook was switched off", "webhook_detail", ADMIN, AT_ONCE),
    )
}


def list_for(user: User) -> list[NotificationKind]:
    """The kinds whose pages this account may open."""
    return [kind for kind in KINDS.values() if kind.is_for(user)]
