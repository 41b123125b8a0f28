"""What Dropbox says when it does not remove, recover or hand over, by what to do about it (`team.stone`).

The tags of MembersRemoveError, MembersRecoverError, MembersTransferFormerMembersFilesError and PollError. A tag that is
not here is quoted, and nothing was done.
"""

from __future__ import annotations

from typing import Any

from profiles.connectors.dropbox.lines import OURS, OUTAGE
from profiles.connectors.refusals import Again, Refusal, refusal

NOTHING_DONE = "Nothing was changed."
DESTINATION = "Choose another account as the destination of the files, then go on."
KEPT_FILES = "The files stay at Dropbox for as long as the team keeps deleted files, 180 days for most teams."
CORRECTED = "Nothing was changed. Report Dropbox's tag below: this application must not send such a call."
LOOKED_AT = "a look at the account, which says what became of it"
BUSY: dict[str, Any] = {**OUTAGE, "heals": "Dropbox, when its transfer is over"}

# Dropbox no longer knows these jobs. Whether they did their work, only a look at the account says.
LOST_JOB = ("invalid_async_job_id", "internal_error")


def _tags(key: str, codes: tuple[str, ...], message: str, remedy: str, **more: Any) -> Refusal:
    named = ", ".join(f"`{code}`" for code in codes)
    return refusal(key, f"409 {named}", message, remedy, status=(409,), codes=codes, **more)


REMOVAL_TAGS: tuple[Refusal, ...] = (
    _tags(
        "member-gone",
        ("user_not_found", "user_not_in_team"),
        "Dropbox does not know this account in the team: {reason}.",
        f"{NOTHING_DONE} The account was removed before, or somebody else removed it: look at it again.",
        heals=LOOKED_AT,
    ),
    _tags(
        "destination-gone",
        ("transfer_dest_user_not_found", "transfer_dest_user_not_in_team"),
        "The account that should receive the files is not in the Dropbox team: {reason}.",
        f"{NOTHING_DONE} {DESTINATION}",
    ),
    _tags(
        "destination-not-verified",
        ("recipient_not_verified",),
        "The account that should receive the files has no verified e-mail address: {reason}.",
        f"{NOTHING_DONE} Have its user sign in to Dropbox and verify the address, or choose another destination.",
    ),
    _tags(
        "destination-is-removed",
        ("removed_and_transfer_dest_should_differ", "removed_and_transfer_admin_should_differ"),
        "The files of an account cannot go to itself: {reason}.",
        f"{NOTHING_DONE} {DESTINATION}",
    ),
    _tags(
        "transfer-admin",
        ("transfer_admin_user_not_found", "transfer_admin_user_not_in_team", "transfer_admin_is_not_admin"),
        "The admin who should answer for the transfer is not a team admin of the Dropbox team: {reason}.",
        f"{NOTHING_DONE} Press Get OAuth Token as an active team admin, then go on.",
        again=Again.CONSENT,
    ),
    _tags(
        "transfer-busy",
        ("transfer_in_progress", "member_is_transfer_destination", "user_data_is_being_transferred"),
        "Dropbox is still transferring files of or to this account: {reason}.",
        "Nothing to do: it is tried again when the transfer is over.",
        **BUSY,
    ),
    _tags(
        "transferred-before",
        ("already_transferred", "already_transferred_or_deleted", "user_data_already_transferred"),
        "The files of this account were handed over or deleted before: {reason}.",
        f"{NOTHING_DONE} Dropbox moves the files of an account once; there is nothing left to move.",
        heals="nothing: it is done",
    ),
    _tags(
        "not-transferable",
        ("user_data_cannot_be_transferred",),
        "Dropbox does not hand over the files of this account any more: {reason}.",
        "Nothing was changed. The time for which Dropbox keeps them may be over; ask Dropbox's support.",
    ),
    _tags(
        "not-removed",
        ("user_not_removed",),
        "Dropbox knows no removed account of this name: {reason}.",
        f"{NOTHING_DONE} Somebody may have restored it: look at it again.",
        heals=LOOKED_AT,
    ),
    _tags(
        "last-admin",
        ("remove_last_admin",),
        "This is the last admin of the Dropbox team: {reason}.",
        f"{NOTHING_DONE} Make somebody else a team admin in Dropbox's Admin Console first.",
    ),
    _tags(
        "not-restorable",
        ("user_unrecoverable",),
        "Dropbox does not restore this account: {reason}.",
        "Nothing was changed. Dropbox restores within 7 days, unless the files were handed over or deleted or the user "
        f"had only been invited. Invite the person again for a new account. {KEPT_FILES}",
    ),
    _tags(
        "no-license",
        ("team_license_limit",),
        "The Dropbox team has no free license: {reason}.",
        f"{NOTHING_DONE} Free or buy a license, then restore the account before its 7 days are over.",
    ),
    _tags(
        "keep-account",
        (
            "cannot_keep_account",
            "cannot_keep_account_under_legal_hold",
            "cannot_keep_account_required_to_sign_tos",
            "cannot_keep_invited_user_account",
            "cannot_retain_shares_when_team_external_sharing_off",
        ),
        "The team's settings do not allow to remove the account in this way: {reason}.",
        f"{NOTHING_DONE} Remove it in Dropbox's Admin Console, which says what stands in the way.",
    ),
    _tags(
        "address-too-long",
        ("email_address_too_long_to_be_disabled",),
        "The account's e-mail address is too long for Dropbox to switch it off: {reason}.",
        f"{NOTHING_DONE} Shorten the address in Dropbox's Admin Console, then go on.",
    ),
    _tags(
        "removal-call",
        (
            "unspecified_transfer_admin_id",
            "cannot_keep_account_and_transfer",
            "cannot_keep_account_and_delete_data",
            "cannot_keep_account_and_permanently_delete",
            "cannot_retain_shares_when_data_wiped",
            "cannot_retain_shares_when_no_account_kept",
            "cannot_permanently_delete_and_transfer",
        ),
        "Dropbox could not do both of what it was told: {reason}.",
        CORRECTED,
        **OURS,
    ),
    _tags(
        "job-lost",
        LOST_JOB,
        "Dropbox does not say what became of the job: {reason}.",
        "Look at the account: only its state says whether the job did its work.",
        heals=LOOKED_AT,
    ),
)
