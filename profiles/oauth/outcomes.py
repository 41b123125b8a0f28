"""Every way a press of Get OAuth Token can end, with the words for the admin: what happened and what to do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """One way to end. `stored`: the tokens were stored. An attempt that fails never replaces an earlier grant."""

    title: str
    happened: str
    remedy: str
    stored: bool = False


START_AGAIN = "Open the integration profile and press Get OAuth Token again."

OUTCOMES: dict[str, Outcome] = {
    "connected": Outcome(
        "Connected",
        "The vendor gave this profile a token.",
        "Nothing to do. The connection is being validated. Then the software subscriptions are downloaded, now and "
        "every day from now on.",
        stored=True,
    ),
    "connected_missing_scopes": Outcome(
        "Connected, but scopes are missing",
        "The token was stored, but the app was not granted every scope that the enabled processes need.",
        "Tick the scopes listed below on the Permissions tab of the app, submit, and press Get OAuth Token again. "
        "Processes that have all their scopes work already.",
        stored=True,
    ),
    "denied": Outcome(
        "Access was not allowed",
        "Somebody pressed Cancel on the vendor's consent page. Nothing was stored; "
        "an earlier connection was not changed.",
        "Press Get OAuth Token again and choose Allow, signed in to the vendor as a team administrator.",
    ),
    "vendor_error": Outcome(
        "The vendor reported an error",
        "The vendor came back with an error instead of a code. Nothing was stored.",
        "Check the app's settings in the vendor's console, then press Get OAuth Token again.",
    ),
    "scope_refused": Outcome(
        "The vendor refused a scope",
        "The app may not ask for every scope that the enabled processes need. Nothing was stored; "
        "an earlier connection was not changed.",
        "Tick the scopes listed below on the Permissions tab of the app, submit, and press Get OAuth Token again.",
    ),
    "state_unknown": Outcome(
        "This authorization is not known here",
        "The vendor's answer has no state, or one that this installation did not issue. Nothing was stored.",
        f"If you followed a link or a bookmark, ignore it. {START_AGAIN}",
    ),
    "state_expired": Outcome(
        "This authorization took too long",
        "Ten minutes passed between Get OAuth Token and the vendor's answer. Nothing was stored.",
        START_AGAIN,
    ),
    "state_used": Outcome(
        "This answer was used before",
        "Each press of Get OAuth Token takes one answer, and this one was taken already. Nothing was changed.",
        f"If the profile is not connected: {START_AGAIN[0].lower()}{START_AGAIN[1:]}",
    ),
    "state_foreign": Outcome(
        "This authorization belongs to another session",
        "Somebody else started it, or you started it in another browser session. Nothing was stored.",
        "Press Get OAuth Token yourself, in this browser, and finish in the window that opens.",
    ),
    "session_lost": Outcome(
        "You are signed out",
        "Your session ended while the vendor's page was open, so the answer was not accepted. Nothing was stored.",
        "Sign in, open the integration profile and press Get OAuth Token again.",
    ),
    "role_lost": Outcome(
        "Your role no longer allows this",
        "To connect a profile you need the role sam_integrator or admin. Nothing was stored.",
        "Ask an administrator of this application for the role, then press Get OAuth Token again.",
    ),
    "profile_changed": Outcome(
        "The profile was changed meanwhile",
        "The client id, the client secret or the vendor's address changed while the consent page was open. "
        "Nothing was stored.",
        START_AGAIN,
    ),
    "code_refused": Outcome(
        "The vendor refused the code",
        "The code was used before, has expired, or belongs to another app. Nothing was stored.",
        START_AGAIN,
    ),
    "redirect_refused": Outcome(
        "The redirect URL does not match",
        "The vendor expects another redirect URL than the one this installation uses. Nothing was stored.",
        "Copy the redirect URL exactly from the profile into the app's settings, then press Get OAuth Token again.",
    ),
    "wrong_client": Outcome(
        "The client secret is wrong",
        "The vendor knows the client ID, because it showed its consent page for it, but does not accept the client "
        "secret with it. Nothing was stored; an earlier connection was not changed.",
        "Copy the App secret from the vendor's console into the field Client secret on the profile's form (for a "
        "second app: Reclamation client secret), then press Get OAuth Token again.",
    ),
    "secret_unreadable": Outcome(
        "The stored secret cannot be read",
        "The client secret of this profile cannot be decrypted, so the code was not exchanged. Nothing was stored.",
        "Ask the operator to run manage.py doctor, which says which key is missing. Then press Get OAuth Token again.",
    ),
    "refused": Outcome(
        "The vendor refused",
        "The vendor understood the request and said no. Nothing was stored.",
        "Read the vendor's reason below. The person who allows the access must be a team admin of a business team. If "
        "the reason names the code verifier, whoever runs this installation can leave it out with OAUTH_PKCE=false.",
    ),
    "outage": Outcome(
        "The vendor cannot be reached",
        "The vendor had an error of its own, answered too slowly, or did not answer. Nothing was stored; "
        "an earlier connection was not changed.",
        "Wait a few minutes, check the vendor's status page, then press Get OAuth Token again.",
    ),
    "bad_answer": Outcome(
        "The vendor's answer cannot be read",
        "The answer does not have the form that the vendor documents. Nothing was stored.",
        "Check that the vendor addresses in the deployment settings are right, then press Get OAuth Token again.",
    ),
    "no_refresh_token": Outcome(
        "The token would not last",
        "The vendor gave no refresh token, so the connection would end after a few hours. Nothing was stored.",
        "Check that the app allows offline access, then press Get OAuth Token again.",
    ),
    "no_team": Outcome(
        "This is not a team",
        "A personal account allowed the access: the vendor's answer names no team. Nothing was stored.",
        "Press Get OAuth Token again and choose “Sign in as another administrator”, "
        "then allow access as a team administrator.",
    ),
    "other_team": Outcome(
        "This is another team",
        "The access is for another team than the one this profile is connected to. The old connection was kept.",
        "Sign in as an administrator of the expected team. If the profile is to move to the other team, confirm below "
        "that the team is to be replaced.",
    ),
    "team_taken": Outcome(
        "Another profile is connected to this team",
        "Another integration profile downloads this team already, so every subscription would be listed and counted "
        "twice. Nothing was stored.",
        "If you meant another team, press Get OAuth Token again and choose “Sign in as another administrator”. If both "
        "profiles are meant to be connected to the same team, confirm it below.",
    ),
}

WITHOUT_ATTEMPT = frozenset({"state_unknown", "state_used", "state_foreign", "session_lost", "role_lost"})
