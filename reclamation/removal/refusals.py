"""What a vendor's refusal of an effect means for the attempt. Every other refusal is for a person."""

from __future__ import annotations

from profiles.connectors import base

# Nobody knows whether the call took effect. After every other error of a call with an effect it did not.
LOST = (base.AnswerLost, base.UnreadableAnswer)
GONE, BUSY, NO_LICENSE, UNRECOVERABLE, MOVED = "gone", "busy", "no_license", "unrecoverable", "moved"
NOT_REMOVED = "not_removed"
# The vendor's words, for connectors that hand their own on.
MEANINGS = {
    "user_not_found": GONE,
    "user_not_in_team": GONE,
    "transfer_in_progress": BUSY,
    "member_is_transfer_destination": BUSY,
    "user_data_is_being_transferred": BUSY,
    "team_license_limit": NO_LICENSE,
    "user_unrecoverable": UNRECOVERABLE,
    "already_transferred": MOVED,
    "user_data_already_transferred": MOVED,
    "user_not_removed": NOT_REMOVED,
}


def meaning_of(refusal: base.Refused) -> str:
    """One of the words above; empty for a refusal that is for a person."""
    word = getattr(refusal, "code", "") or refusal.failure.tag
    return MEANINGS.get(word, word if word in MEANINGS.values() else "")
