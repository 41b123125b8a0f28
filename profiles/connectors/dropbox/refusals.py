"""What Dropbox's API says when it does not do what it was asked (error handling guide; `auth.stone`; field reports).

A 401, 403 or 409 is JSON, and its tag tells what is wrong; the sentences of a 400 are in `sentences`. Where neither is
known, Dropbox's own words are quoted, and nothing is discarded.
"""

from __future__ import annotations

from profiles.connectors.base import ListingReset, MissingScope, ProtocolError, Refused
from profiles.connectors.dropbox.lines import (
    ADMIN_CONSOLE,
    CONSOLE,
    NEW_CONSENT,
    OURS,
    OUTAGE,
    REPORT,
    STALE,
    UNTICKED,
)
from profiles.connectors.dropbox.removal_tags import REMOVAL_TAGS
from profiles.connectors.dropbox.sentences import SENTENCES
from profiles.connectors.refusals import (
    CONFIGURE,
    EVERY_400,
    EVERY_VENDOR,
    NO_WAY,
    UNREADABLE,
    Again,
    Ends,
    Form,
    Refusal,
    refusal,
)

RESTARTS = {
    "team/members/list/continue_v2": ("invalid_cursor", "reset"),
    "team_log/get_events/continue": ("bad_cursor", "reset"),
    "team/devices/list_members_devices": ("reset",),
}
CURSOR_LOST = "cursor lost"  # Reply.asked of a call whose route may answer that its cursor is no longer valid
NOT_JSON = (Form.PAGE, Form.TEXT, Form.EMPTY)
NOBODY_THERE = "Nothing was changed. Check DROPBOX_API_URL in the deployment settings (manage.py doctor)."

TAGS: tuple[Refusal, ...] = (
    refusal(
        "token-expired",
        "401 `expired_access_token`, `invalid_access_token`, or a challenge that says `invalid_token`",
        "Dropbox does not accept the access token, nor a new one: {reason}.",
        NEW_CONSENT,
        status=(401,),
        codes=("expired_access_token", "invalid_access_token"),
        **STALE,
    ),
    refusal(
        "token-challenged",
        "401 with `WWW-Authenticate: … invalid_token`",
        "Dropbox does not accept the access token, nor a new one: invalid_token.",
        NEW_CONSENT,
        status=(401,),
        challenge=r"invalid_token",
        **STALE,
    ),
    refusal(
        "scope-missing",
        "401 `missing_scope`",
        "The Dropbox connection lacks the scope {reason}.",
        MissingScope.remedy,
        status=(401,),
        codes=("missing_scope",),
        **UNTICKED,
    ),
    refusal(
        "admin-suspended",
        "401 `user_suspended`",
        "The admin who connected Dropbox is suspended.",
        "Restore the suspended admin in Dropbox, or press Get OAuth Token as another team admin.",
        status=(401,),
        codes=("user_suspended",),
    ),
    refusal(
        "select-refused",
        "401 `invalid_select_user`, `invalid_select_admin`",
        "Dropbox does not let the connection act as this person: {reason}.",
        "Press Get OAuth Token as a team admin who may manage this member.",
        status=(401,),
        codes=("invalid_select_user", "invalid_select_admin"),
        again=Again.CONSENT,
    ),
    refusal(
        "route-denied",
        "401 `route_access_denied`",
        "Dropbox denies this call to the connected app: {reason}.",
        f"{CONSOLE} compare the kind of access with “Connect a Dropbox team” in the documents.",
        status=(401,),
        codes=("route_access_denied",),
    ),
    refusal(
        "plan",
        "403 `invalid_account_type`",
        "Dropbox does not allow this to accounts of this type: {reason}.",
        "Ask Dropbox which plan includes this, or switch the process off on the profile's form.",
        status=(403,),
        codes=("invalid_account_type",),
    ),
    refusal(
        "team-denied",
        "403 `team_access_denied`",
        "Dropbox denies access to the team: {reason}.",
        f"{ADMIN_CONSOLE} allow the app, and press Get OAuth Token as an active team admin.",
        status=(403,),
        codes=("team_access_denied",),
    ),
    refusal(
        "not-there",
        "404, 405 or 410",
        "There is no Dropbox API at this address.",
        NOBODY_THERE,
        status=(404, 405, 410),
        raises=ProtocolError,
        heals=CONFIGURE,
    ),
    refusal(
        "cursor-lost",
        "409 `invalid_cursor`, `bad_cursor` or `reset` of a listing",
        "Dropbox no longer accepts the cursor of this listing.",
        ListingReset.remedy,
        status=(409,),
        asked=CURSOR_LOST,
        raises=ListingReset,
        ends=Ends.LISTING,
        again=Again.FIRST_PAGE,
        heals="the run, which starts the listing again",
    ),
)

OTHERS: tuple[Refusal, ...] = (
    refusal(
        "other-401",
        "401 with another tag, such as `other`, or with JSON without one",
        # The union is open, and SDKs have met a bare "other".
        "Dropbox did not take this call: {reason}.",
        Refused.remedy,
        status=(401,),
        form=(Form.JSON,),
    ),
    refusal(
        "no-permission",
        "403 `no_permission` or another tag",
        "Dropbox does not allow this: {reason}.",
        Refused.remedy,
        status=(403,),
        form=(Form.JSON,),
    ),
    refusal(
        "other-409",
        "409 with another tag",
        "Dropbox refused: {reason}.",
        Refused.remedy,
        status=(409,),
        form=(Form.JSON,),
    ),
    refusal(
        "no-reason-4xx",
        "401, 403, 409 or another 4xx with a web page or nothing",
        "Dropbox answered with status {status} and no reason.",
        f"{NO_WAY} The next run tries again.",
        status=(EVERY_400,),
        form=NOT_JSON,
        **OUTAGE,
    ),
    refusal(
        "other-4xx",
        "422 or another 4xx with JSON",
        "Dropbox answered with the unexpected status {status}: {reason}.",
        REPORT,
        status=(EVERY_400,),
        **OURS,
    ),
)
JUDGED: tuple[Refusal, ...] = (*TAGS, *REMOVAL_TAGS, *SENTENCES, *OTHERS)
DROPBOX_REFUSALS: tuple[Refusal, ...] = (*EVERY_VENDOR, *JUDGED, UNREADABLE)
