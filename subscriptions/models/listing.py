"""The last listing of a profile that was accepted: what the next one is compared with."""

from __future__ import annotations

from django.db import models


class AcceptedListing(models.Model):
    """A whole listing that was believed: nothing of it was withheld, or a person confirmed it.

    It speaks of one team only. After the profile was moved to another team it vouches for nothing.
    """

    profile = models.OneToOneField(
        "profiles.IntegrationProfile", primary_key=True, on_delete=models.CASCADE, related_name="accepted_listing"
    )
    team_id = models.CharField(max_length=255)
    run = models.ForeignKey("profiles.JobRun", null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    at = models.DateTimeField()
    listed = models.PositiveIntegerField(help_text="Accounts in the list, records that could not be read included.")
    counted = models.PositiveIntegerField(null=True, help_text="The vendor's own count. Empty: it did not count.")
    left_out = models.CharField(
        max_length=60, blank=True, help_text="Statuses that the vendor's count leaves out, as far as that was seen."
    )
    surplus = models.IntegerField(
        default=0,
        help_text="How many more accounts were listed than counted, without those left out. It falls only when list "
        "and count agree exactly or a person confirms a listing, so small losses add up.",
    )

    class Meta:
        verbose_name = "accepted listing"

    def __str__(self) -> str:
        return f"{self.listed:,} accounts on {self.at:%Y-%m-%d}"
