"""The sandbox's consent page. Everything variable is escaped; it works without scripts and with a keyboard."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

from profiles.connectors.dropbox.sandbox.store import App
from profiles.connectors.dropbox.sandbox.team import Member, Team

STYLE = """
:root { color-scheme: light dark; --ink: #1e1919; --soft: #5b5552; --paper: #fff; --ground: #f4f1ec; --line: #8a837c;
  --deed: #0a57c2; --deed-ink: #fff; }
@media (prefers-color-scheme: dark) { :root { --ink: #f4f1ec; --soft: #c3bcb4; --paper: #221f1d; --ground: #141211;
  --line: #8a837c; --deed: #8ab8ff; --deed-ink: #0b1b33; } }
* { box-sizing: border-box; }
html { scroll-padding-block-end: 6rem; }
body { margin: 0; padding: clamp(0rem, 3vw, 2rem); background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 38rem; margin: 0 auto; padding: clamp(1rem, 4vw, 2rem); background: var(--paper);
  border-radius: .75rem; }
.sign { margin: 0 0 1rem; padding: .25rem .75rem; border: 1px dashed var(--line); border-radius: .5rem;
  color: var(--soft); font-size: .875rem; }
h1 { margin: 0 0 .5rem; font-size: 1.5rem; line-height: 1.25; }
h2, legend { margin: 0 0 .5rem; padding: 0; font-size: 1rem; font-weight: 600; }
ul { margin: 0 0 1.5rem; padding-left: 1.25rem; }
fieldset { margin: 0 0 .5rem; padding: 0; border: 0; }
label { display: flex; gap: .75rem; align-items: center; padding: .25rem .75rem; min-height: 2.75rem;
  border: 1px solid var(--line); border-radius: .5rem; margin-bottom: .5rem; cursor: pointer; }
label:has(:checked) { border-color: var(--deed); box-shadow: inset 0 0 0 1px var(--deed); }
small { color: var(--soft); overflow-wrap: anywhere; }
label small { display: block; }
.deeds { display: flex; gap: .75rem; flex-wrap: wrap; position: sticky; bottom: 0; padding: .75rem 0;
  background: var(--paper); border-top: 1px solid var(--line); }
dt { font-weight: 600; } dd { margin: 0 0 .75rem; overflow-wrap: anywhere; }
button { font: inherit; font-weight: 600; min-height: 2.75rem; padding: .5rem 1.5rem; border-radius: .5rem;
  cursor: pointer; border: 1px solid var(--deed); }
button[value=allow] { background: var(--deed); color: var(--deed-ink); }
button[value=cancel] { background: transparent; color: var(--ink); border-color: var(--line); }
:focus-visible { outline: 3px solid var(--deed); outline-offset: 2px; }
"""

SCOPES = {
    "account_info.read": "View basic information of the account",
    "events.read": "View the team's activity log",
    "groups.read": "View the team's groups and their members",
    "members.delete": "Remove and recover team members",
    "members.read": "View the team's members",
    "members.write": "Add and change team members",
    "sessions.list": "View the team's sessions and devices",
    "team_data.member": "View and act on the content of team members",
    "team_info.read": "View basic information of the team",
}


def page(app: App, scopes: Iterable[str], teams: Iterable[Team], carried: Mapping[str, str], *, chosen: str) -> str:
    """The page that asks who connects the app, and whether they allow it."""
    hidden = "".join(_hidden_input(name, value) for name, value in carried.items())
    wanted = "".join(f"<li>{escape(SCOPES.get(s, s))} <small>({escape(s)})</small></li>" for s in scopes)
    accounts = _account_choices(list(teams), chosen)
    body = f"""
<h1><bdi>{escape(app.name)}</bdi> would like to connect to your Dropbox team</h1>
<h2 id="wanted">It asks to</h2>
<ul aria-labelledby="wanted">{wanted}</ul>
<form method="post" action="/oauth2/authorize">{hidden}
<fieldset><legend>Continue as</legend>{accounts}</fieldset>
<div class="deeds"><button name="decision" value="allow">Allow</button>
<button name="decision" value="cancel">Cancel</button></div>
</form>"""
    return _html_document(f"Connect {app.name}", body)


def home(apps: Iterable[App], teams: Iterable[Team]) -> str:
    """The page at the sandbox's own address: its apps and teams."""
    known = "".join(
        f"<dt><bdi>{escape(app.name)}</bdi></dt><dd>App key {escape(app.key)}"
        + "".join(f"<br><small>{escape(uri)}</small>" for uri in app.redirect_uris)
        + "</dd>"
        for app in apps
    )
    made = "".join(f"<li>{escape(team.name)} <small>({escape(team.team_id)})</small></li>" for team in teams)
    return _html_document("Home", f"<h1>Apps and teams</h1><dl>{known}</dl><h2>Teams</h2><ul>{made}</ul>")


def refusal(message: str) -> str:
    """The page that ends a malformed or refused authorization."""
    return _html_document("Error", f'<h1>Error</h1><p role="alert">{escape(message)}</p>')


def _account_choices(teams: list[Team], chosen: str) -> str:
    rows = [
        (_member_id(m), _member_name(m), f"Team admin of {team.name}, {_member_email(m)}")
        for team in teams
        for m in team.admins()
    ]
    if teams:
        somebody = teams[0].any_member()
        rows.append(
            (
                _member_id(somebody),
                _member_name(somebody),
                f"Not an admin: Dropbox will refuse, {_member_email(somebody)}",
            )
        )
    rows.append(("personal", "A personal account", "Not in any team: gives a token that is of no use to a team"))
    chosen = chosen if chosen in [value for value, _, _ in rows] else rows[0][0]
    return "".join(_account_choice(value, name, about, value == chosen) for value, name, about in rows)


def _account_choice(value: str, name: str, about: str, checked: bool) -> str:
    mark = " checked" if checked else ""
    return (
        f'<label><input type="radio" name="account" value="{escape(value)}" required{mark}>'
        f"<span><bdi>{escape(name)}</bdi><small>{escape(about)}</small></span></label>"
    )


def _member_id(member: Member) -> str:
    return str(member["profile"]["team_member_id"])


def _member_name(member: Member) -> str:
    return str(member["profile"]["name"]["display_name"])


def _member_email(member: Member) -> str:
    return str(member["profile"]["email"])


def _hidden_input(name: str, value: str) -> str:
    return f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'


def _html_document(title: str, body: str) -> str:
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,">
<title>{escape(title)} - Dropbox sandbox</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">
<style>{STYLE}</style></head>
<body><main><p class="sign">Dropbox sandbox: a stand-in for practice. Nothing here reaches Dropbox.</p>{body}
</main></body></html>"""
