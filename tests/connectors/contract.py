"""What every vendor's connector must do. A vendor's test class inherits this and says how its faults look."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pytest

from profiles import connectors
from profiles.connectors import base
from profiles.connectors.dropbox.sandbox import Fault
from profiles.connectors.dropbox.sandbox.messages import Delivery

RETRY_AFTERS: Sequence[tuple[str | None, float]] = [
    (None, 1.0),
    ("2", 2.0),
    ("0", 1.0),
    ("-7", 1.0),
    ("soon", 1.0),
    ("1.5", 1.5),
    ("Wed, 21 Oct 2015 07:28:00 GMT", 1.0),
]


class ConnectorContract:
    """Inherit, and give the fixture `world` (see `doubles.World`) as well as the names below."""

    vendor: str
    first: str  # the fault route of a listing's first page
    further: str  # and of its further pages
    expired: Fault
    revoked: Fault
    lost_place: Fault

    def page(self, ids: Sequence[str], cursor: str, more: bool) -> Fault:
        """An answer of the listing with these members."""
        raise NotImplementedError

    def truth(self, world: Any) -> set[str]:
        """The external ids of everyone the vendor lists."""
        raise NotImplementedError

    def ids(self, connector: base.Connector, cursor: str = "") -> list[str]:
        return [seat.external_id for page in connector.seats(cursor) for seat in page.items]

    def test_the_registry_knows_the_vendor(self) -> None:
        row = connectors.vendor(self.vendor)
        assert (row.key, row.label) in connectors.choices()
        assert {process.key for process in row.processes} >= {base.DOWNLOAD}
        assert not next(process for process in row.processes if process.key == base.DOWNLOAD).optional
        assert len({seat_type.identifier for seat_type in row.seat_types}) == len(row.seat_types)

    def test_pages_lead_to_the_end_and_nobody_comes_twice(self, world: Any) -> None:
        found = self.ids(world.connector(page_size=50))
        assert len(found) == len(set(found))
        assert set(found) == self.truth(world)

    def test_a_cursor_resumes_where_a_page_ended(self, world: Any) -> None:
        pages = world.connector(page_size=50).seats()
        first = next(pages)
        rest = self.ids(world.connector(page_size=50), first.cursor)
        assert {seat.external_id for seat in first.items} | set(rest) == self.truth(world)
        assert len(first.items) + len(rest) == len(self.truth(world))

    def test_an_empty_page_with_more_to_come_does_not_end_the_listing(self, world: Any) -> None:
        cursor = next(world.connector(page_size=50).seats()).cursor
        world.sandbox.faults.add(self.first, 1, self.page([], cursor, True))
        assert len(self.ids(world.connector(page_size=50))) == len(self.truth(world)) - 50

    def test_empty_pages_without_end_are_a_protocol_error(self, world: Any) -> None:
        numbers = iter(range(2000))
        pages = [self.page([], f"cursor-{next(numbers)}", True) for _ in range(1200)]
        world.sandbox.faults.add(self.first, None, pages[0])
        for nth, page in enumerate(pages[1:], 1):
            world.sandbox.faults.add(self.further, nth, page)
        with pytest.raises(base.ProtocolError):
            self.ids(world.connector())
        assert world.calls(self.further) < 1100

    def test_a_cursor_that_comes_back_is_a_protocol_error(self, world: Any) -> None:
        world.sandbox.faults.add(self.first, None, self.page(["a"], "same", True))
        world.sandbox.faults.add(self.further, None, self.page(["b"], "same", True))
        with pytest.raises(base.ProtocolError, match="circle"):
            self.ids(world.connector())
        assert world.calls(self.further) <= 2

    def test_a_log_that_can_be_bounded_ends_there(self, world: Any) -> None:
        """As does its continuation at a cursor: time before what is known is read alone."""
        if not connectors.vendor(self.vendor).bounded_log:
            pytest.skip("The vendor's log cannot be bounded.")
        now = dt.datetime.now(dt.UTC)
        since, until = now - dt.timedelta(days=9), now - dt.timedelta(days=5)
        pages = list(world.connector().activity(since, until=until))
        continued = list(world.connector().activity(since, pages[0].cursor, until=until))
        for read in (pages, continued):
            for page in read:
                page.fold(found := base.Uses())
                assert all(since.date() <= day <= until.date() for day in found.events_by_day())
                assert not found.held or found.latest() < until
        assert any(page.read for page in pages)

    def test_a_forgotten_cursor_asks_for_a_new_listing(self, world: Any) -> None:
        world.sandbox.faults.add(self.further, 2, self.lost_place)
        with pytest.raises(base.ListingReset):
            self.ids(world.connector(page_size=50))

    @pytest.mark.parametrize("nth", [1, 2, 3])
    def test_a_token_that_runs_out_at_any_page_costs_no_member(self, world: Any, nth: int) -> None:
        world.sandbox.faults.add(self.further, nth, self.expired)
        found = self.ids(world.connector(page_size=50))
        assert set(found) == self.truth(world)
        assert len(found) == len(set(found))
        assert len(world.tokens.stale) == 1

    def test_a_renewed_token_that_is_refused_too_ends_in_reconnect(self, world: Any) -> None:
        world.sandbox.faults.add(self.first, None, self.expired)
        with pytest.raises(base.Reconnect):
            self.ids(world.connector())
        assert world.calls(self.first) == 2

    def test_a_revoked_token_is_renewed_once_and_then_left_alone(self, world: Any) -> None:
        world.sandbox.faults.add(self.first, None, self.revoked)
        with pytest.raises(base.StaleToken):
            self.ids(world.connector())
        assert (world.calls(self.first), world.waits, len(world.tokens.stale)) == (2, [], 1)

    def test_a_revoked_connection_is_over_when_the_refresh_says_so(self, world: Any) -> None:
        def gone() -> str:
            raise base.Reconnect("refresh token is invalid or revoked")

        world.tokens._renewed = gone
        world.sandbox.faults.add(self.first, None, self.revoked)
        with pytest.raises(base.Reconnect, match="refresh token"):
            self.ids(world.connector())
        assert (world.calls(self.first), world.waits) == (1, [])

    @pytest.mark.parametrize("status", [500, 502, 503])
    def test_an_outage_is_sat_out(self, world: Any, status: int) -> None:
        for nth in (1, 2, 3):
            world.sandbox.faults.add(self.further, nth, Fault(status=status, body="<html>oops</html>"))
        connector = world.connector(page_size=50, attempts=4)
        assert set(self.ids(connector)) == self.truth(world)
        assert connector.counters.retries == 3
        assert len(world.waits) == 3

    def test_an_outage_that_lasts_is_told_with_its_evidence(self, world: Any) -> None:
        world.sandbox.faults.add(self.first, None, Fault(status=503, body="no " * 2000))
        with pytest.raises(base.TryLater) as caught:
            self.ids(world.connector(attempts=3))
        assert world.calls(self.first) == 3
        failure = caught.value.failure
        assert (failure.status, len(failure.body), bool(failure.request_id)) == (503, 2000, True)

    @pytest.mark.parametrize(("header", "seconds"), RETRY_AFTERS)
    @pytest.mark.parametrize("body", ["Too many requests, slow down", {"error": {"reason": {".tag": "x"}}}, "<html>"])
    def test_a_429_waits_a_bounded_while_and_goes_on(
        self, world: Any, header: str | None, seconds: float, body: Any
    ) -> None:
        headers = {} if header is None else {"Retry-After": header}
        world.sandbox.faults.add(self.further, 1, Fault(status=429, body=body, headers=headers))
        connector = world.connector(page_size=50)
        assert set(self.ids(connector)) == self.truth(world)
        assert world.waits == [seconds]
        assert connector.counters.throttled_seconds == seconds

    @pytest.mark.parametrize(("header", "seconds"), [("300", 300.0), ("9" * 30, 3600.0)])
    def test_a_long_429_is_handed_to_the_job(self, world: Any, header: str, seconds: float) -> None:
        world.sandbox.faults.add(self.first, None, Fault(status=429, headers={"Retry-After": header}))
        with pytest.raises(base.Throttled) as caught:
            self.ids(world.connector(max_wait=30))
        assert caught.value.retry_after == seconds
        assert world.waits == []

    def test_429_without_end_is_no_busy_loop(self, world: Any) -> None:
        world.sandbox.faults.add(self.first, None, Fault(status=429, headers={"Retry-After": "0"}))
        with pytest.raises(base.Throttled):
            self.ids(world.connector(attempts=4))
        assert world.calls(self.first) == 4

    @pytest.mark.parametrize("body", [b"", b"<html>welcome</html>", b"[]", b"null", b'{"a":', b"{}", b"\xff\xfe", b"1"])
    def test_a_200_that_is_no_listing_is_tried_again_before_it_is_a_protocol_error(
        self, world: Any, body: bytes
    ) -> None:
        world.sandbox.faults.add(self.first, None, Fault(status=200, body=body))
        with pytest.raises(base.ProtocolError) as caught:
            self.ids(world.connector(attempts=3))
        assert isinstance(caught.value, base.UnreadableAnswer) and caught.value.fingerprint
        assert caught.value.failure.status == 200
        assert (world.calls(self.first), len(world.waits)) == (3, 2)

    @pytest.mark.parametrize("body", [b"", b"<html>welcome</html>", b"[]", b"null", b'{"a":', b"{}", b"\xff\xfe", b"1"])
    @pytest.mark.parametrize("status", [200, 204])
    def test_one_unreadable_success_at_any_page_costs_nothing(self, world: Any, status: int, body: bytes) -> None:
        world.sandbox.faults.add(self.further, 2, Fault(status=status, body=body))
        connector = world.connector(page_size=50)
        assert set(self.ids(connector)) == self.truth(world)
        assert connector.counters.retries == 1

    def test_unreadable_answers_of_different_forms_are_told_apart(self, world: Any) -> None:
        world.sandbox.faults.add(self.first, 1, Fault(status=200, body=b"<html>"))
        world.sandbox.faults.add(self.first, 2, Fault(status=200, body=b"{}"))
        with pytest.raises(base.UnreadableAnswer) as caught:
            self.ids(world.connector(attempts=2))
        assert not caught.value.fingerprint

    def test_a_body_nested_beyond_reason_is_a_protocol_error(self, world: Any) -> None:
        world.sandbox.faults.add(self.first, None, Fault(status=200, body=b'{"members":' + b"[" * 200_000))
        with pytest.raises(base.ProtocolError):
            self.ids(world.connector())

    @pytest.mark.parametrize("status", [301, 302, 307, 308])
    def test_a_redirect_is_never_followed(self, world: Any, status: int) -> None:
        elsewhere = Fault(status=status, headers={"Location": f"{world.url}/2/stolen"})
        world.sandbox.faults.add(self.first, None, elsewhere)
        with pytest.raises(base.ProtocolError):
            self.ids(world.connector())
        assert world.calls("stolen") == 0

    def test_no_token_in_any_evidence(self, world: Any) -> None:
        world.sandbox.faults.add(self.first, None, Fault(status=400, body=f"bad token {world.tokens.token}"))
        with pytest.raises(base.ConnectorError) as caught:
            self.ids(world.connector())
        assert world.tokens.token not in caught.value.failure.body
        assert world.tokens.token not in str(caught.value)


class RemovalContract:
    """What a connector of a vendor with `removal` must do. Inherit it beside `ConnectorContract`."""

    vendor: str
    effects: dict[str, str]  # the fault route of withdraw, restore and finish
    expired: Fault

    def somebody(self, world: Any) -> str:
        """The external id of an active account that anybody may remove."""
        raise NotImplementedError

    def recipient(self, world: Any) -> str:
        """That of an account that files can go to, and that answers for the transfer."""
        raise NotImplementedError

    def use(self, world: Any, external_id: str, at: dt.datetime, arrives: dt.datetime) -> None:
        """Let an account be used at a moment, and the vendor's log show it later."""
        raise NotImplementedError

    def pass_time(self, world: Any, by: dt.timedelta) -> None:
        """Let time pass for the vendor."""
        raise NotImplementedError

    @property
    def removal(self) -> base.Removal:
        removal = connectors.vendor(self.vendor).removal
        assert removal is not None
        return removal

    def state(self, connector: Any, external_id: str) -> str:
        (look,) = connector.look([external_id])
        assert look.external_id == external_id
        return str(look.state)

    def await_end(self, connector: Any, step: str, effect: base.Effect) -> None:
        for _ in range(20):
            if effect.state == "done":
                return
            assert (effect.state, bool(effect.job)) == ("working", True)
            effect = connector.ask(step, effect.job)
        pytest.fail("the job does not end")

    def act(self, connector: Any, verb: str, external_id: str, to: str) -> base.Effect:
        effect: base.Effect
        if verb == "finish":
            effect = connector.finish(external_id, destination=to, transfer_admin=to)
        else:
            effect = getattr(connector, verb)(external_id)
        return effect

    def test_the_row_says_what_a_page_needs(self) -> None:
        assert self.removal.frees_at in ("withdraw", "finish")
        assert self.removal.undo_days is None or 0 <= self.removal.default_undo_days <= self.removal.undo_days

    def test_withdraw_and_restore_in_order(self, world: Any) -> None:
        connector, who = world.connector(), self.somebody(world)
        assert self.state(connector, who) == "present"
        before = connector.team().used
        self.await_end(connector, "withdraw", connector.withdraw(who))
        (look,) = connector.look([who])
        assert look.state == "withdrawn" and look.undoable is not False
        if self.removal.frees_at == "withdraw" and before is not None:
            assert connector.team().used == before - 1
        self.await_end(connector, "withdraw", connector.restore(who))
        assert self.state(connector, who) == "present" and connector.team().used == before

    def test_withdraw_and_finish_in_order(self, world: Any) -> None:
        connector, who, to = world.connector(), self.somebody(world), self.recipient(world)
        self.await_end(connector, "withdraw", connector.withdraw(who))
        self.await_end(connector, "finish", connector.finish(who, destination=to, transfer_admin=to))
        assert self.state(connector, who) == "gone"
        with pytest.raises(base.Refused) as caught:
            connector.restore(who)
        assert caught.value.failure.tag and len(caught.value.remedy) > 20

    def test_at_once_with_a_destination_there_is_no_way_back(self, world: Any) -> None:
        connector, who, to = world.connector(), self.somebody(world), self.recipient(world)
        self.await_end(connector, "withdraw", connector.withdraw(who, destination=to, transfer_admin=to))
        assert self.state(connector, who) == "gone"

    def test_out_of_order_nothing_happens_and_the_vendor_says_why(self, world: Any) -> None:
        connector, who, to = world.connector(), self.somebody(world), self.recipient(world)
        for verb in ("restore", "finish"):
            with pytest.raises(base.Refused) as caught:
                self.act(connector, verb, who, to)
            assert caught.value.failure.tag and self.state(connector, who) == "present"
        self.await_end(connector, "withdraw", connector.withdraw(who))
        with pytest.raises(base.Refused):
            connector.withdraw(who)
        assert self.state(connector, who) == "withdrawn"

    def test_the_undo_ends_when_the_row_says(self, world: Any) -> None:
        if self.removal.undo_days is None:
            pytest.skip("it ends when the removal is finished")
        connector, who = world.connector(), self.somebody(world)
        self.await_end(connector, "withdraw", connector.withdraw(who))
        self.pass_time(world, dt.timedelta(days=self.removal.undo_days, seconds=1))
        assert self.state(connector, who) == "gone"
        with pytest.raises(base.Refused):
            connector.restore(who)

    def test_nobody_of_this_name(self, world: Any) -> None:
        connector = world.connector()
        (look,) = connector.look(["nobody-of-this-name"])
        assert (look.state, look.seat) == ("gone", None)
        with pytest.raises(base.Refused):
            connector.withdraw("nobody-of-this-name")

    @pytest.mark.parametrize("verb", ["withdraw", "restore", "finish"])
    @pytest.mark.parametrize(
        "fault",
        [
            Fault(status=500),
            Fault(status=503, headers={"Retry-After": "1"}),
            Fault(status=502, body="<html>"),
            Fault(status=200, body="<html>"),
            Fault(status=200, body=b""),
            Fault(delivery=Delivery(reset=True)),
            Fault(status=503, delivery=Delivery(reset=True)),
        ],
        ids=["500", "503", "502", "page", "empty", "lost after", "lost before"],
    )
    def test_an_effect_without_an_answer_is_lost_and_sent_once(self, world: Any, verb: str, fault: Fault) -> None:
        connector, who, to = world.connector(attempts=4), self.somebody(world), self.recipient(world)
        if verb != "withdraw":
            self.await_end(connector, "withdraw", connector.withdraw(who))
        calls = world.calls(self.effects[verb])
        world.sandbox.faults.add(self.effects[verb], None, fault)
        with pytest.raises(base.AnswerLost):
            self.act(connector, verb, who, to)
        assert (world.calls(self.effects[verb]) - calls, world.waits) == (1, [])

    @pytest.mark.parametrize("verb", ["withdraw", "restore", "finish"])
    def test_a_refused_token_and_a_429_had_no_effect(self, world: Any, verb: str) -> None:
        connector, who, to = world.connector(), self.somebody(world), self.recipient(world)
        if verb != "withdraw":
            self.await_end(connector, "withdraw", connector.withdraw(who))
        before = self.state(connector, who)
        world.sandbox.faults.add(self.effects[verb], 1, Fault(status=429, headers={"Retry-After": "9"}))
        with pytest.raises(base.Throttled) as caught:
            self.act(connector, verb, who, to)
        assert (caught.value.retry_after, world.waits) == (9.0, []), "an effect waits for nothing"
        assert self.state(connector, who) == before
        world.sandbox.faults.add(self.effects[verb], 1, self.expired)
        self.await_end(connector, verb.replace("restore", "withdraw"), self.act(connector, verb, who, to))
        assert len(world.tokens.stale) == 1

    def test_a_job_nobody_knows_has_to_be_looked_at(self, world: Any) -> None:
        for step in ("withdraw", "finish"):
            with pytest.raises(base.AnswerLost):
                world.connector().ask(step, "no-such-job")

    def test_the_log_is_asked_for_what_arrived_by_now(self, world: Any) -> None:
        connector, who, now = world.connector(), self.somebody(world), world.sandbox.now()
        happened = now - dt.timedelta(days=3)
        self.use(world, who, happened, now + dt.timedelta(hours=1))
        seat, since = connector.look([who])[0].seat, now - dt.timedelta(days=30)
        before = connector.recent([seat], since).events_by_day().get(happened.date(), 0)
        self.pass_time(world, dt.timedelta(hours=2))
        uses = connector.recent([seat], since)
        assert uses.events_by_day()[happened.date()] == before + 1
        assert {use.external_id for use in uses.rows()} == {who}

    def test_the_log_says_when_the_files_have_arrived(self, world: Any) -> None:
        connector, who, to, began = world.connector(), self.somebody(world), self.recipient(world), world.sandbox.now()
        self.await_end(connector, "withdraw", connector.withdraw(who))
        self.await_end(connector, "finish", connector.finish(who, destination=to, transfer_admin=to))
        assert connector.finished([who], began) == set()
        self.pass_time(world, dt.timedelta(hours=2))
        assert connector.finished([who, to], began) == {who}

    def test_the_log_says_who_came_back(self, world: Any) -> None:
        connector, who, other, began = (
            world.connector(),
            self.somebody(world),
            self.recipient(world),
            world.sandbox.now(),
        )
        self.await_end(connector, "withdraw", connector.withdraw(who))
        self.pass_time(world, dt.timedelta(hours=2))
        assert connector.returned([who, other], began) == set()
        connector.restore(who)
        self.pass_time(world, dt.timedelta(hours=2))
        assert connector.returned([who, other], began) == {who}
        assert connector.returned([other], began) == set()

    def test_the_question_about_one_account_says_whether_it_came_back_too(self, world: Any) -> None:
        connector, who, began = world.connector(), self.somebody(world), world.sandbox.now()
        (seat,) = [look.seat for look in connector.look([who])]
        self.await_end(connector, "withdraw", connector.withdraw(who))
        self.pass_time(world, dt.timedelta(hours=2))
        connector.restore(who)
        restored_at = world.sandbox.now()
        self.pass_time(world, dt.timedelta(hours=2))
        back = connector.recent([seat], began - dt.timedelta(minutes=5)).came_back
        assert list(back) == [who] and abs(back[who] - restored_at) < dt.timedelta(minutes=1)
        assert connector.recent([seat], began + dt.timedelta(hours=3)).came_back == {}
