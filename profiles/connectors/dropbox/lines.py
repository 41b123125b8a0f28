"""What the lines of Dropbox's refusals have in common: kinds of ends, and where in Dropbox an admin finds what."""

from __future__ import annotations

from typing import Any

from profiles.connectors.base import MissingScope, ProtocolError, StaleToken, TryLater
from profiles.connectors.refusals import WAITS, Again, Ends

CONSOLE = "In Dropbox's App Console (Developer Apps, the app, Settings tab)"
ADMIN_CONSOLE = "In Dropbox's Admin Console (Settings, Team apps)"
GOES_ON = "The stored access then goes on by itself."
REPORT = "Nothing was changed. Report Dropbox's sentence below; the old data stays as it was."
NEW_CONSENT = "Press Get OAuth Token on the integration profile and approve the access again."

OUTAGE: dict[str, Any] = {"raises": TryLater, "ends": Ends.NOTHING, "again": Again.SOON, "heals": WAITS}
STALE: dict[str, Any] = {
    "raises": StaleToken,
    "ends": Ends.TOKEN,
    "again": Again.NEW_TOKEN,
    "heals": "a refresh. Whether the grant is gone, only the answer to the refresh tells",
}
UNTICKED: dict[str, Any] = {"raises": MissingScope, "ends": Ends.PROCESS, "again": Again.CONSENT}
OURS: dict[str, Any] = {"raises": ProtocolError, "heals": "a correction of this application"}
