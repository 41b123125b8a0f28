"""Back-tests: what a rule would have proposed on past days, and who of those came back."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import models
from django.urls import reverse

from reclamation.models.rule import ReclamationRule
from reclamation.reasons import Reason

HORIZONS = (7, 180)  # days that are possible


class BackTest(models.Model):
    """One back-test of a rule's settings, on every seventh day from `from_on` to `to_on`.

    Its settings and figures are kept as they were, whatever becomes of the rule and of what is known later.
    """

    # Which settings decide who is proposed; the conditions are the rule's own.
    SETTINGS = (
        *("threshold_days", "minimum_age_days", "include_never_active", "include_invited", "include_suspended"),
        *("include_leavers", "invited_days", "logins_are_enough", "conditions"),
    )

    rule = models.ForeignKey(ReclamationRule, on_delete=models.CASCADE, related_name="back_tests")
    settings = models.JSONField()
    from_on = models.DateField()
    to_on = models.DateField()
    horizon_days = models.PositiveSmallIntegerField(
        default=30, help_text="For how many days after a proposal it is looked for use."
    )
    run = models.ForeignKey("profiles.JobRun", null=True, on_delete=models.SET_NULL, related_name="+")
    figures = models.JSONField(default=dict, help_text="Empty: not done yet.")
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(condition=models.Q(to_on__gte=models.F("from_on")), name="back_test_not_empty"),
            models.CheckConstraint(condition=models.Q(horizon_days__range=HORIZONS), name="back_test_horizon_in_range"),
        ]

    def __str__(self) -> str:
        return f"BT{self.pk:05}"

    def get_absolute_url(self) -> str:
        return reverse("backtest_detail", args=[self.pk])

    @property
    def is_done(self) -> bool:
        return bool(self.figures)

    @property
    def is_at_work(self) -> bool:
        return not self.is_done and self.run is not None and self.run.is_active

    def rule_then(self) -> ReclamationRule:
        """The rule with the settings of this back-test. Nobody may save it."""
        return ReclamationRule(name=self.rule.name, made_at=self.at, **self.settings)


class BackTestFinding(models.Model):
    """A seat that would have been proposed, on the first day on which it would have been, and what became of it."""

    class Outcome(models.TextChoices):
        BACK = "back", "Came back"
        AWAY = "away", "Stayed unused"
        ENDED = "ended", "Ended without use"
        GAP = "gap", "Not covered"
        NOT_SETTLED = "not_settled", "Too early to tell"

    CENSORED = (Outcome.ENDED, Outcome.GAP, Outcome.NOT_SETTLED)

    back_test = models.ForeignKey(BackTest, on_delete=models.CASCADE, related_name="findings", db_index=False)
    subscription = models.ForeignKey("subscriptions.Subscription", on_delete=models.CASCADE, related_name="+")
    on = models.DateField()
    reason = models.CharField(max_length=24, choices=Reason.choices)
    outcome = models.CharField(max_length=12, choices=Outcome.choices)
    last_use_on = models.DateField(null=True, help_text="The last day with use by then. Empty: none was known.")
    back_on = models.DateField(null=True, help_text="The first day with use within the horizon. Empty: none.")

    class Meta:
        ordering = ["back_test", "on", "pk"]
        indexes = [models.Index(fields=["back_test", "outcome", "on"], name="back_test_by_outcome")]
        constraints = [
            models.UniqueConstraint(fields=["back_test", "subscription"], name="back_test_counts_a_seat_once")
        ]

    def __str__(self) -> str:
        return f"{self.subscription}: {self.outcome} ({self.on})"
