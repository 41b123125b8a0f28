"""The kinds of events: what they are called, whose they are, and what is mailed unless a person says otherwise."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import User

from samsaas import roles

OFF, AT_ONCE, DAILY = "off", "at_once", "daily"
CHOICES = ((OFF, "No mail"), (AT_ONCE, "At once"), (DAILY, "Once a day"))


@dataclass(frozen=True)
class Kind:
    """`page` is the URL name of the page about it: whoever may not open that is told nothing.

    Who has `role`, and so can do something about it, gets `mail`; all others get none, until they choose.
    """

    key: str
    label: str
    page: str
    role: str
    mail: str

    def is_for(self, user: User) -> bool:
        return roles.may(user, self.page)

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
        Kind(RUN_FAILED, "A run failed", "run_detail", roles.SAM_INTEGRATOR, AT_ONCE),
        Kind(RUN_HELD, "A run waits for confirmation", "run_detail", roles.SAM_INTEGRATOR, AT_ONCE),
        Kind(NEEDS_AUTHORIZATION, "A profile needs authorization", "profile_detail", roles.SAM_INTEGRATOR, AT_ONCE),
        Kind(CANDIDATES_FOUND, "Removal candidates were found", "candidate_list", roles.SAM_ADMIN, DAILY),
        Kind(BATCH_QUARANTINED, "A batch waits for a second person", "batch_detail", roles.SAM_ADMIN, AT_ONCE),
        Kind(ATTEMPT_NEEDS_HUMAN, "A removal needs a person", "candidate_detail", roles.SAM_ADMIN, AT_ONCE),
        # Whoever asked for the removal, and the administrators, get a mail of their own.
        Kind(REGRET_ALARM, "Somebody was removed who had used it", "candidate_detail", roles.SAM_ADMIN, OFF),
        Kind(SEAT_RESTORED, "An account was restored", "candidate_detail", roles.SAM_ADMIN, DAILY),
        Kind(OUT_OF_COMPLIANCE, "More is in use than is owned", "license-usage", roles.SAM_ADMIN, DAILY),
        Kind(COMPLIANT_AGAIN, "As much is owned as is in use again", "license-usage", roles.SAM_ADMIN, DAILY),
        # Its owner gets reminders of their own.
        Kind(REDUCE_BY, "A vendor must soon know of a reduction", "renewal_detail", roles.SAM_ADMIN, OFF),
        Kind(RECONCILIATION_FAILED, "A reconciliation failed", "reconciliation_detail", roles.SAM_ADMIN, AT_ONCE),
        Kind(DRIFT, "A vendor counts otherwise", "vendor-drift", roles.SAM_ADMIN, DAILY),
        Kind(WEBHOOK_STOPPED, "A webhook was switched off", "webhook_detail", roles.ADMIN, AT_ONCE),
    )
}


def list_for(user: User) -> list[Kind]:
    """The kinds whose pages this account may open."""
    return [kind for kind in KINDS.values() if kind.is_for(user)]
