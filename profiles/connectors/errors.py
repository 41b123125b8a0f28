"""How a vendor call fails, named by what a person or a job can do about it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Failure:
    """The evidence of a failed call, safe to store and show: without tokens, the body cut to 2,000 characters."""

    endpoint: str = ""
    status: int | None = None
    tag: str = ""
    body: str = ""
    request_id: str = ""


class ConnectorError(Exception):
    """A vendor call failed. Subclasses are named by what can be done about it; `remedy` says it to the admin."""

    remedy = "Try again; if it keeps failing, look at the vendor's answer below."

    def __init__(self, message: str, *, failure: Failure | None = None, remedy: str = "") -> None:
        super().__init__(message)
        self.failure = failure or Failure()
        if remedy:
            self.remedy = remedy


class Reconnect(ConnectorError):
    """A person has to authorize the profile: the grant is gone, was never given, or its new tokens are refused.

    Only the module that refreshes tokens ends a grant, and only because of the code `invalid_grant`. After that no job
    calls the vendor before a person has authorized the profile again.
    """

    remedy = "Press Get OAuth Token on the integration profile and approve the access again."


class MissingScope(ConnectorError):
    """The grant is valid but lacks a scope. `scope` names it where the vendor did."""

    remedy = "Tick the missing scope in the vendor's app console, submit, then press Get OAuth Token again."

    def __init__(self, message: str, *, scope: str = "", failure: Failure | None = None, remedy: str = "") -> None:
        super().__init__(message, failure=failure, remedy=remedy)
        self.scope = scope


class Throttled(ConnectorError):
    """The vendor asks us to wait. `retry_after` is in seconds, already bounded."""

    remedy = "Nothing to do: the run continues automatically when the vendor's waiting time is over."

    def __init__(self, message: str, *, retry_after: float, failure: Failure | None = None, remedy: str = "") -> None:
        super().__init__(message, failure=failure, remedy=remedy)
        self.retry_after = retry_after


class TryLater(ConnectorError):
    """An outage: status 5xx, no connection, too slow, too large, or not an answer of the vendor's API."""

    remedy = "The vendor or the network is in trouble. The next run tries again; check the vendor's status page."


class Refused(ConnectorError):
    """The vendor understood the call and refused it. `failure.tag` is the vendor's reason."""

    remedy = "Check the vendor role of the authorizing admin, the plan and the app's settings, then try again."


class ListingReset(ConnectorError):
    """A cursor is no longer valid: the listing has to start again from its first page."""

    remedy = "Nothing to do: the listing starts again from its first page."


class ProtocolError(ConnectorError):
    """The whole answer does not have the documented form. Nothing was stored from it."""

    remedy = "Nothing was changed. Report the answer below; the old data stays as it was."


class UnreadableAnswer(ProtocolError):
    """A success whose body is not what the call documents: cut, empty, a web page, or of another form.

    Proxies and broken connections do this now and then, so it is tried again like a lost answer, and later like an
    outage. `fingerprint` names the form of the body; empty where the tries of a call gave bodies of different forms.
    Nobody knows whether a call with an effect took effect.
    """

    remedy = "Start it again in a few minutes. If the answer stays unreadable, report it; the old data stays as it was."

    def __init__(
        self, message: str, *, fingerprint: str = "", failure: Failure | None = None, remedy: str = ""
    ) -> None:
        super().__init__(message, failure=failure, remedy=remedy)
        self.fingerprint = fingerprint


class StaleToken(Reconnect):
    """The vendor refuses the access token. The session renews it once; callers see this only when that did not help.

    It ends the token and not the grant: whether the grant is gone, only the answer to the refresh tells.
    """


class AnswerLost(TryLater):
    """The request may have reached the vendor, but its answer did not reach us.

    A call with an effect must not be repeated.
    """
