"""Check a chain of seals against the entries they sealed, seal by seal, whether from the database or from a file.

The memory it takes does not grow with the trail: it holds the digests of one seal, and at most twenty problems.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from samsaas.lib.signatures import PublicKey
from samsaas.models import AuditSeal
from samsaas.sealing import seals
from samsaas.sealing.entries import Form, digest_form

MOST_PROBLEMS = 20
OVERDUE = seals.SEALED_AFTER + timedelta(minutes=15)
CLOCKS_DIFFER = timedelta(minutes=5)
Entry = tuple[int, Form]
UNSEALED_OLD = (
    "Entries have been waiting for a seal since {since:%Y-%m-%d %H:%M} UTC. Either nothing seals (check worker, beat "
    "and AUDIT_SIGNING_KEY), or the end of the chain was cut off. Compare the last seal with your copy."
)
LAST_SEAL_OLD = (
    "The last seal is of {at:%Y-%m-%d %H:%M} UTC, and there is one at least every day. Either nothing seals (check "
    "worker, beat and AUDIT_SIGNING_KEY), or the end of the chain was cut off, for example by an old backup. Compare "
    "the last seal with your copy."
)


@dataclass(frozen=True)
class Problem:
    """Something that must not be: `entry` or `seal` is the number of what is wrong."""

    text: str
    seal: int | None = None
    entry: int | None = None


@dataclass
class Report:
    """What was found. `sealed` counts the entries that are there as they were sealed, `unsealed` the newer ones."""

    seals: int = 0
    sealed: int = 0
    late: int = 0
    purged: int = 0
    unsealed: int = 0
    last_seal: dict[str, Any] | None = None
    problem_count: int = 0
    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        return not self.problem_count

    def add_problem(self, text: str, *, seal: int | None = None, entry: int | None = None) -> None:
        self.problem_count += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(text, seal, entry))

    def add_warning(self, text: str) -> None:
        if len(self.warnings) < MOST_PROBLEMS:
            self.warnings.append(text)

    def as_data(self) -> dict[str, Any]:
        """The report as JSON can hold it."""
        return {"sound": self.is_sound, **asdict(self)}


class Checker:
    """Takes the seals in the order of the chain.

    `keys` are those whose signatures count. `kept` are number and hash of a seal that somebody kept elsewhere.
    """

    def __init__(
        self, keys: Mapping[str, PublicKey], purges: Iterable[AuditSeal], kept: tuple[int, str] | None = None
    ) -> None:
        self.report = Report()
        self._keys, self._kept = keys, kept
        self._last: AuditSeal | None = None
        self._base: dict[str, Any] | None = None
        self._purged = seals.Purged()
        self._unmet_purges: set[str] = set()
        for seal in purges:
            self._note_purge(seal)

    def _note_purge(self, seal: AuditSeal) -> None:
        """Believe what a purge deleted. If its seal is not genuine, checking that seal says so."""
        try:
            self._unmet_purges.add(seals.compute_hash(seal))
            said = seal.purged or {}
            self._purged.add(said["ids"])
            if said["base"]:
                self._base = {name: said["base"][name] for name in ("number", "hash", "until_pk")}
        except (ValueError, TypeError, KeyError, AttributeError):
            self.report.add_problem(f"Seal {seal.number} names what was purged in a way that cannot be read.")

    @property
    def until_pk(self) -> int:
        """The number up to which everything is sealed so far."""
        if self._last is not None:
            return self._last.until_pk
        return self._base["until_pk"] if self._base else 0

    def check(self, seal: AuditSeal, found: Iterable[Entry]) -> None:
        """Check one seal, and the entries of its range and its late ones, in the order of their numbers."""
        wrong = self._judge_link(seal) or self._judge_seal(seal)
        if wrong:
            self.report.add_problem(wrong, seal=seal.number)
        if self._last and seal.at < self._last.at:
            text = f"Seal {seal.number} is dated before seal {self._last.number}: a clock was set back."
            self.report.add_warning(text)
        try:
            sealed = seals.read_digests(seal)
        except ValueError:
            sealed = {}
        self._compare(seal, sealed, found)
        self._unmet_purges.discard("" if wrong else seal.hash)
        if self._kept == (seal.number, seal.hash):
            self._kept = None
        self.report.seals += 1
        self.report.late += len(seals.read_late(seal))
        self._last = seal

    def _judge_link(self, seal: AuditSeal) -> str:
        """What is wrong between this seal and the one before, or nothing."""
        if self._last:
            number, digest = self._last.number, self._last.hash
        else:
            number, digest = (self._base["number"], self._base["hash"]) if self._base else (0, "")
        if seal.number > number + 1:
            last = seal.number - 1
            return f"Seal {last} is missing." if last == number + 1 else f"Seals {number + 1} to {last} are missing."
        if seal.number <= number:
            return f"There is a second seal with the number {seal.number}, or one that a purge has deleted."
        if seal.previous != digest:
            return f"Seal {seal.number} does not follow the seal before it: one of them was exchanged."
        return ""

    def _judge_seal(self, seal: AuditSeal) -> str:
        """What is wrong with the seal itself, or nothing."""
        try:
            same = seals.compute_hash(seal) == seal.hash and len(seals.read_digests(seal)) == seal.count
        except (ValueError, TypeError, AttributeError):
            same = False
        if not same:
            return f"Seal {seal.number} was changed: its hash does not fit what it says."
        key = self._keys.get(seal.key_id)
        if key is None:
            return f"Seal {seal.number} is signed with the key {seal.key_id}, which is not one of yours."
        if not seals.has_good_signature(seal, key):
            return f"Seal {seal.number} was changed: its signature is wrong."
        return ""

    def _compare(self, seal: AuditSeal, sealed: dict[int, str], found: Iterable[Entry]) -> None:
        """Name every entry that is not as it was sealed, by its number."""
        wrong: list[tuple[int, str]] = []
        owners = {digest: number for number, digest in sealed.items()}
        left = dict(sealed)
        for number, form in found:
            digest, expected = digest_form(form), left.pop(number, None)
            if digest == expected:
                self.report.sealed += 1
            else:
                wrong.append((number, _describe_wrong(number, seal.number, expected, owners.get(digest))))
            if len(wrong) > MOST_PROBLEMS:  # all of them are told by their first ones
                self._tell(wrong, seal)
                wrong = []
        for number in left:
            if number in self._purged:
                self.report.purged += 1
            else:
                wrong.append((number, f"Entry {number} is missing: seal {seal.number} has it."))
        self._tell(wrong, seal)

    def _tell(self, wrong: list[tuple[int, str]], seal: AuditSeal) -> None:
        for number, text in sorted(wrong):
            self.report.add_problem(text, seal=seal.number, entry=number)

    def check_unsealed(self, found: Iterable[tuple[int, str]], *, late: Iterable[int], now: datetime) -> None:
        """Count the entries after the last seal, by number and time, and say what is odd about the chain's end."""
        since = ""
        for _, at in found:
            self.report.unsealed += 1
            since = min(since, at) if since else at
        if self._unmet_purges:
            self.report.add_problem("A purge is claimed that the chain does not have.")
        for number in late:
            self.report.unsealed += 1
            self.report.add_warning(f"Entry {number} was committed late and waits for the next seal.")
        if self._kept:
            self._report_lost_seal(*self._kept)
        self._judge_end(since, now)

    def _report_lost_seal(self, number: int, digest: str) -> None:
        if self._base and (number, digest) == (self._base["number"], self._base["hash"]):
            return
        if self._base and number < self._base["number"]:
            self.report.add_warning(f"Seal {number} left by a purge, so your copy of it cannot be compared.")
        else:
            text = f"Seal {number} is not the one you kept, or not there: the chain was cut, rewritten or restored."
            self.report.add_problem(text, seal=number)

    def _judge_end(self, since: str, now: datetime) -> None:
        last = self._last
        if last:
            at = last.at.isoformat(timespec="seconds")
            self.report.last_seal = {"number": last.number, "at": at, "hash": last.hash, "key": last.key_id}
            if last.at > now + CLOCKS_DIFFER:
                self.report.add_warning(f"Seal {last.number} is dated in the future: a clock is or was wrong.")
            if now - last.at > seals.EMPTY_AFTER + OVERDUE:
                self.report.add_warning(LAST_SEAL_OLD.format(at=last.at))
                return
        oldest = _read_moment(since)
        if oldest and now - oldest > OVERDUE:
            self.report.add_warning(UNSEALED_OLD.format(since=oldest))


def _describe_wrong(number: int, seal: int, expected: str | None, owner: int | None) -> str:
    if expected is None and owner is None:
        return f"Entry {number} was inserted: seal {seal} does not have it."
    if owner is not None:
        return f"Entry {number} holds what was sealed as entry {owner}: entries were reordered or copied."
    return f"Entry {number} was changed: it is not as seal {seal} has it."


def _read_moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
