"""The sandbox: one object that answers requests as Dropbox does."""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import math
import secrets
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from profiles.connectors.dropbox.sandbox import arguments, consent, oauth, routes
from profiles.connectors.dropbox.sandbox.calls import Call, Route, api_error
from profiles.connectors.dropbox.sandbox.clock import Clock, machine_time
from profiles.connectors.dropbox.sandbox.effects import Done, Effects
from profiles.connectors.dropbox.sandbox.faults import Fault, Faults
from profiles.connectors.dropbox.sandbox.former import load_past
from profiles.connectors.dropbox.sandbox.jobs import Work
from profiles.connectors.dropbox.sandbox.log import Event
from profiles.connectors.dropbox.sandbox.messages import JSON, Answered, Request, Response, as_page, as_text
from profiles.connectors.dropbox.sandbox.store import AccessToken, App, Grant, Store
from profiles.connectors.dropbox.sandbox.team import Team, demo_teams

ALL_SCOPES = (
    "account_info.read",
    "events.read",
    "groups.read",
    "members.delete",
    "members.read",
    "members.write",
    "sessions.list",
    "team_data.member",
    "team_info.read",
)
DEMO_KEY, DEMO_SECRET = "samsaas-demo-key", "samsaas-demo-secret"
RECLAIM_KEY, RECLAIM_SECRET = "samsaas-demo-reclaim-key", "samsaas-demo-reclaim-secret"
LOCAL_REDIRECT_URIS = ("http://localhost:8000/oauth_redirect.do", "http://127.0.0.1:8000/oauth_redirect.do")
RECLAIM_SCOPES = ("groups.read", "members.delete", "members.read", "members.write", "team_info.read")

PERSONAL_ON_TEAM_ROUTE = "This is a DfB team management function and the access token is not for a team."
TEAM_ON_PERSONAL_ROUTE = (
    "This API function operates on a single Dropbox account, but the OAuth 2 access token you provided is for an "
    "entire Dropbox Business team."
)
UNTICKED = (
    "Your app (ID: 1234567) is not permitted to access this endpoint because it does not have the required scope '{}'. "
    "The owner of the app can enable the scope for the app using the Permissions tab on the App Console."
)


class Sandbox:
    """A stand-in Dropbox.

    All its times follow from `clock`, which takes them from `now` and can be moved. `work` says how long things take,
    `done` which effects took place, in order. `info_tells_removed`: whether get_info_v2 finds removed members.

    `rate` is (calls, seconds) per app and team; None means unlimited. The demo apps
    accept `redirect_uris` beside LOCAL_REDIRECT_URIS. `state_file` keeps apps, grants, tokens and the day of the first
    start over a restart; the teams' past is counted back from that day.
    """

    def __init__(
        self,
        teams: Iterable[Team] | None = None,
        *,
        redirect_uris: Iterable[str] = (),
        state_file: Path | None = None,
        now: Callable[[], dt.datetime] = machine_time,
        rate: tuple[int, float] | None = None,
    ) -> None:
        self.clock, self.rate = Clock(now), rate
        self.teams = {team.team_id: team for team in (demo_teams() if teams is None else teams)}
        self.store = Store(self.clock, state_file)
        self.clock.moved = self.store.save
        for team in self.teams.values():
            team.first_day = self.store.first_day
            if kept := self.store.pasts.get(team.team_id):
                load_past(team, kept)
        self.faults, self.work = Faults(), Work()
        self.done: list[Done] = []
        self.info_tells_removed = False
        self.log: deque[tuple[str, int]] = deque(maxlen=10_000)
        self.cursor_epoch = 0
        self.listings: dict[tuple[Any, ...], tuple[list[Event], Iterator[Event]]] = {}
        self.approved: dict[str, str] = {}
        self._calls: dict[tuple[str, str], deque[float]] = {}
        self._dots = itertools.cycle(("", ".", "..", "..."))
        self._lock = threading.RLock()
        uris = tuple(dict.fromkeys((*LOCAL_REDIRECT_URIS, *redirect_uris)))
        self.register_app(DEMO_KEY, DEMO_SECRET, uris, ALL_SCOPES, name="samsaas demo")
        self.register_app(RECLAIM_KEY, RECLAIM_SECRET, uris, RECLAIM_SCOPES, name="samsaas demo reclamation")

    @property
    def now(self) -> Callable[[], dt.datetime]:
        """What time it is here. To replace it replaces the source of the clock."""
        return self.clock.now

    @now.setter
    def now(self, source: Callable[[], dt.datetime]) -> None:
        self.clock.source = source

    def console(self, team: Team | None = None) -> Effects:
        """What an admin of a team, the first one if none is given, does in the admin console."""
        return Effects(sandbox=self, team=team or next(iter(self.teams.values())))

    def keep_past(self, team: Team) -> None:
        """Keep what became of a team over a restart."""
        self.store.pasts[team.team_id] = team.past.as_json()
        self.store.save()

    def register_app(
        self, key: str, secret: str, redirect_uris: Iterable[str], scopes: Iterable[str], *, name: str = ""
    ) -> App:
        """Register an app, as a person does in the App Console. An app with the same key is replaced."""
        app = App(
            key=key,
            secret=secret,
            name=name or key,
            redirect_uris=tuple(redirect_uris),
            scopes=tuple(sorted(scopes)),
        )
        self.store.apps[key] = app
        self.store.save()
        return app

    def grant(
        self, app_key: str = DEMO_KEY, *, team: Team | None = None, scopes: Iterable[str] | None = None
    ) -> tuple[str, str]:
        """An access token and a refresh token, as if the team's first admin had consented on the page."""
        team = team or next(iter(self.teams.values()))
        granted = tuple(sorted(scopes if scopes is not None else self.store.apps[app_key].scopes))
        admin = team.admins()[0]["profile"]["team_member_id"]
        grant = self.store.issue_grant(app_key=app_key, team_id=team.team_id, admin_id=admin, scopes=granted)
        return self.store.issue_access_token(grant), self.store.issue_refresh_token(grant)

    def forget_cursors(self) -> None:
        """Make every cursor issued so far invalid."""
        self.cursor_epoch += 1

    def next_dots(self) -> str:
        return next(self._dots)

    def handle(self, request: Request) -> Response:
        """Answer a request, with the headers of every Dropbox answer."""
        with self._lock:
            route = request.path.removeprefix("/2/").strip("/")
            self.work.catch_up(self.now())
            fault = self.faults.take(route)
            response = self._fail(fault, request, route) if fault else self._route_request(request, route)
            self.log.append((route, response.status))
            response.headers.setdefault("X-Dropbox-Request-Id", secrets.token_hex(16))
            response.headers.setdefault("Date", format_datetime(self.now(), usegmt=True))
            return response

    def _fail(self, fault: Fault, request: Request, route: str) -> Response:
        """The answer of a call that a fault was planned for."""
        if fault.acts or fault.drops:
            self.work.end_named(request.body, acts=not fault.drops)
        if fault.late is not None:
            try:
                call = self._authorize(request, route)
            except Answered as answered:
                return answered.response
            # It was authorized now, so it takes effect also if the token has run out by then.
            self.work.late.append((self.now() + fault.late, lambda: self._act_late(call)))
            return fault.answer()
        if fault.status is not None and not fault.acts:
            return fault.answer()
        return self.faults.apply(fault, self._route_request(request, route))

    def _act_late(self, call: Call) -> None:
        # What was refused by then did not happen, and nobody hears of it.
        with contextlib.suppress(Answered):
            routes.answer_of(routes.ROUTES[call.route], call)

    def _route_request(self, request: Request, route: str) -> Response:
        try:
            if request.path == "/":
                return as_page(consent.home(self.store.apps.values(), self.teams.values()))
            if request.path == "/oauth2/authorize":
                return oauth.authorize(self, request)
            if request.path == "/oauth2/token":
                return oauth.token(self, request)
            if request.path.startswith("/2/"):
                return self._answer_api(request, route)
            return as_text("Not found", 404)
        except Answered as answered:
            return answered.response

    def _answer_api(self, request: Request, name: str) -> Response:
        call = self._authorize(request, name)
        return routes.answer_of(routes.ROUTES[name], call)

    def _authorize(self, request: Request, name: str) -> Call:
        """The call that a request makes. Raises Answered where it is refused."""
        route = routes.ROUTES.get(name)
        if route is None:
            raise Answered(as_text(f'Unknown API function: "{name}"'))
        if request.method != "POST":
            raise arguments.refuse(name, "This function only accepts POST requests.")
        token, grant = self._check_token(request, name)
        if request.media_type != JSON:
            raise arguments.refuse(name, f'Bad HTTP "Content-Type" header: "{request.media_type}".')
        team = self._team_of(request, name, route, grant)
        self._count_call(grant)
        app = self.store.apps.get(grant.app_key)
        if app is not None and route.scope and route.scope not in app.scopes:
            raise arguments.refuse(name, UNTICKED.format(route.scope))
        if route.scope and route.scope not in token.scopes:
            raise api_error(self, 401, {".tag": "missing_scope", "required_scope": route.scope})
        argument = arguments.read(name, request.body, route.fields)
        return Call(sandbox=self, route=name, token=token, grant=grant, team=team, argument=argument)

    def _check_token(self, request: Request, name: str) -> tuple[AccessToken, Grant]:
        header = request.headers.get("Authorization", "")
        scheme, _, text = header.partition(" ")
        if not header:
            raise arguments.refuse(name, 'Must provide HTTP header "Authorization" or URL parameter "authorization".')
        if scheme.lower() != "bearer" or not text.strip():
            raise arguments.refuse(name, 'Invalid authorization value in HTTP header "Authorization".')
        token = self.store.tokens.get(text.strip())
        grant = self.store.grants.get(token.grant_id) if token else None
        if token is None or grant is None:
            raise api_error(self, 401, {".tag": "invalid_access_token"})
        if token.expires_at is not None and token.expires_at <= self.now().timestamp():
            raise api_error(self, 401, {".tag": "expired_access_token"})
        return token, grant

    def _team_of(self, request: Request, name: str, route: Route, grant: Grant) -> Team:
        team = self.teams.get(grant.team_id)
        if route.user:
            if grant.team_id:
                raise arguments.refuse(name, TEAM_ON_PERSONAL_ROUTE)
            return team or next(iter(self.teams.values()))
        if team is None:
            raise arguments.refuse(name, PERSONAL_ON_TEAM_ROUTE)
        for header in ("Dropbox-API-Select-User", "Dropbox-API-Select-Admin"):
            if header in request.headers:
                raise arguments.refuse(name, f'The HTTP header "{header}" is not allowed for this function.')
        return team

    def _count_call(self, grant: Grant) -> None:
        """Refuse calls above the rate. Refused calls count too, as Dropbox's performance guide says."""
        if self.rate is None:
            return
        most, seconds = self.rate
        now = self.now().timestamp()
        calls = self._calls.setdefault((grant.app_key, grant.team_id), deque())
        while calls and calls[0] <= now - seconds:
            calls.popleft()
        calls.append(now)
        if len(calls) > most:
            wait = max(1, math.ceil(calls[-most] + seconds - now))
            detail = {"reason": {".tag": "too_many_requests"}, "retry_after": wait}
            raise api_error(self, 429, detail, Retry_After=str(wait))
