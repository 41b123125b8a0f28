"""The sentences of Dropbox's 400 answers, and what each of them means.

A 400 is text. Its sentence tells whether something is wrong with the app, the team, the token, the plan or our
request. Where no line knows it, it is quoted, and nothing is discarded.
"""

from __future__ import annotations

from profiles.connectors.base import MissingScope
from profiles.connectors.dropbox.lines import (
    ADMIN_CONSOLE,
    CONSOLE,
    GOES_ON,
    NEW_CONSENT,
    OURS,
    OUTAGE,
    REPORT,
    STALE,
    UNTICKED,
)
from profiles.connectors.refusals import ASK_LATER, Again, Form, Refusal, refusal

WORDS = (400, 401, 403)
NOT_TICKED = r"does not have the required scope '([\w.]{1,100})'"
NEEDS_TEAM = "Connect as a team admin of a Dropbox Business team: this is the token of a personal account."

SENTENCES: tuple[Refusal, ...] = (
    refusal(
        "page-400",
        "400 with a web page",
        # Dropbox's front end sometimes does this; clients repeat the call (watermint/toolbox, assert.go).
        "Dropbox answered with a web page instead of an error.",
        ASK_LATER,
        status=(400,),
        form=(Form.PAGE,),
        **OUTAGE,
    ),
    refusal(
        "scope-not-ticked",
        "400 “does not have the required scope …”",
        # A scope that the token lacks is a 401. A scope that nobody ticked for the app is this one (floccus #2291).
        "The Dropbox app lacks the scope {reason}.",
        MissingScope.remedy,
        status=WORDS,
        says=(NOT_TICKED,),
        **UNTICKED,
    ),
    refusal(
        "app-disabled",
        "400 “This app is currently disabled”",
        "The Dropbox app is switched off: “{reason}”.",
        f"{CONSOLE} look at the app's status and enable it again. {GOES_ON}",
        status=WORDS,
        says=(
            r"\b(app|application)\b.{0,60}\b(disabled|deactivated|suspended|deleted|switched off|turned off)\b"
            r"(?!.{0,40}\b(admin|team))",
        ),
    ),
    refusal(
        "app-blocked",
        "400 a sentence that says the team or its admin does not allow the app",
        "The Dropbox team does not allow the app: “{reason}”.",
        f"{ADMIN_CONSOLE} allow the app for the team. {GOES_ON}",
        status=WORDS,
        says=(
            r"\bapps?\b.{0,80}\b(blocked|not allowed|not approved|restricted|disabled)\b.{0,60}\b(team|admin)",
            r"\bnot permitted by\b.{0,60}\b(team|admin)",
            r"\b(team|admin)\w*\b.{0,60}\b(block|restrict|disable|not allow|not approve)\w*\b.{0,60}\bapps?\b",
        ),
    ),
    refusal(
        "app-limit",
        "400 a sentence about development mode or a limit of users or teams",
        "The Dropbox app may not serve this team yet: “{reason}”.",
        f"{CONSOLE} press Enable additional teams (or users), or Apply for production. {GOES_ON}",
        status=WORDS,
        says=(
            r"\bdevelopment (mode|status)\b",
            r"\b(users?|teams?|linked)\b.{0,20}\blimit\b",
            r"\blimit of .{0,20}(users|teams)\b",
            r"\bmore (teams|users)\b",
        ),
    ),
    refusal(
        "personal-token",
        "400 the token of a personal account on a team call",
        "Dropbox refused this token for a team call: “{reason}”.",
        NEEDS_TEAM,
        status=WORDS,
        says=(
            r"DfB team",
            r"\bnot for a team\b",
            r"\bfor a single (Dropbox )?(account|user)\b",
            r"\b(individual|personal) (Dropbox )?(account|user)\b",
        ),
        again=Again.CONSENT,
    ),
    refusal(
        "team-token",
        "400 the token of a team on a call for one account",
        "Dropbox refused a call that is for a single account: “{reason}”.",
        REPORT,
        status=WORDS,
        says=(r"single Dropbox account", r"for an entire Dropbox"),
        **OURS,
    ),
    refusal(
        "wrong-team",
        "400 a sentence that says somebody or something is of another team",
        "Dropbox says that this is of another team: “{reason}”.",
        "Press Get OAuth Token as a team admin of the team that this profile is connected to.",
        status=WORDS,
        says=(
            r"\bnot (on|in|part of|a member of) (your|this|the|the same) team\b",
            r"\b(different|another|wrong) team\b",
            r"\bnot (linked|connected) to (your|this|the) team\b",
        ),
        again=Again.CONSENT,
    ),
    refusal(
        "plan-sentence",
        "400 a sentence about the team's plan",
        "The Dropbox team's plan does not allow this: “{reason}”.",
        "Ask Dropbox which plan includes this, or switch the process off on the profile's form.",
        status=WORDS,
        says=(
            r"\b(plan|team)\b.{0,20}(does not|doesn't|is not|isn't).{0,40}(access|includ|allow|support|availab|eligib)",
            r"\bnot (available|supported) (on|for|in|with) (your|this|the) (plan|team)\b",
        ),
    ),
    refusal(
        "token-unreadable",
        "400 a sentence that says the access token is malformed, unknown or expired",
        # Text that cannot be a token is a 400; an unknown token is a 401 (dropbox-sdk-python #100).
        "Dropbox cannot use the access token, nor a new one: “{reason}”.",
        NEW_CONSENT,
        status=WORDS,
        says=(
            r"access token.{0,30}(malformed|invalid|expired|doesn't exist|does not exist|revoked)",
            r"\b(invalid|expired) (access )?token\b",
            r"\binvalid authorization value\b",
        ),
        **STALE,
    ),
    refusal(
        "app-not-permitted",
        "400 “Your app … is not permitted to access this endpoint”",
        "Dropbox does not let the app make this call: “{reason}”.",
        f"{CONSOLE} compare the kind of access and the Permissions tab with “Connect a Dropbox team” in the documents, "
        "then press Get OAuth Token again.",
        status=WORDS,
        says=(r"\bapp\b.{0,60}\bnot (permitted|authorized|allowed|enabled)\b",),
        again=Again.CONSENT,
    ),
    refusal(
        "our-request",
        "400 a sentence about the request: its body, header, argument or function",
        "Dropbox could not read our request: “{reason}”.",
        REPORT,
        status=(400,),
        says=(
            r"\brequest (body|param)",
            r"\b(content-type|http header|url parameter|api argument|bad http)\b",
            r"\bunknown (api )?(function|field)\b|\bmissing required field\b",
            r"\bdid not match\b|\bexpected .{1,80},? got\b",
            r"\bcould not (be )?(decode|parse|read)|\binvalid json\b",
            r"\bonly accepts post\b|\bis not allowed for this function\b",
        ),
        **OURS,
    ),
    refusal(
        "other-sentence",
        "400, 401 or 403 with any other sentence",
        "Dropbox refused this call: “{reason}”.",
        "Dropbox's sentence says why. Look at the app in Dropbox's App Console and at the team in its Admin Console.",
        status=WORDS,
        form=(Form.TEXT,),
    ),
    refusal(
        "other-400",
        "400 with JSON",
        "Dropbox refused this call: “{reason}”.",
        "Dropbox's words say why. Look at the app in Dropbox's App Console and at the team in its Admin Console.",
        status=(400,),
        form=(Form.JSON,),
    ),
)
