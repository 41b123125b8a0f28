"""The benchmarks' team log: gzip answers of 1,000 events each, and a process that serves them over HTTP.

Events come in the order of days with the disorder of a real log, from members of a team of any size; every event has
all the fields Dropbox sends, about 1.1 kB of JSON.
"""

from __future__ import annotations

import gzip
import random
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PAGE = 1000
DAYS = 30
KINDS = (
    ("logins", "login_success"),
    ("file_operations", "file_edit"),
    ("file_operations", "file_preview"),
    ("sharing", "shared_link_create"),
)
EVENT = (
    '{"timestamp":"2026-10-%(day)02dT%(hour)02d:%(minute)02d:%(second)02dZ","event_category":{".tag":"%(category)s"},'
    '"actor":{".tag":"user","user":{".tag":"team_member","account_id":"dbid:AAB%(who)032d","display_name":"Person '
    '%(who)d","email":"person.%(who)d@large.example","team_member_id":"%(member)s"}},"origin":{"geo_location":{"city":'
    '"Lyon","region":"Rhone","country":"FR","ip_address":"203.0.113.7"},"access_method":{".tag":"end_user","end_user":'
    '{".tag":"web","session_id":"dbwsid:123456789012345678901234567890123456789"}}},"involve_non_team_member":false,'
    '"context":{".tag":"team_member","account_id":"dbid:AAB%(who)032d","display_name":"Person %(who)d","email":'
    '"person.%(who)d@large.example","team_member_id":"%(member)s"},"participants":[],"assets":[],"event_type":{".tag":'
    '"%(kind)s","description":"(%(category)s) Did something"},"details":{".tag":"%(kind)s_details"}}'
)

TEAM = b'{"name":"Benchmark","team_id":"dbtid:benchmark","num_licensed_users":0,"num_provisioned_users":0}'
FEATURES = b'{"values":[{".tag":"has_team_file_events","has_team_file_events":{".tag":"enabled","enabled":true}}]}'


def member_id(index: int) -> str:
    return f"dbmid:AAC{index:032d}"


def write(folder: Path, events: int, members: int) -> None:
    """All answers as files; a second call finds them there."""
    if (folder / "done").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    pages, dice = -(-events // PAGE), random.Random(7)  # noqa: S311 - the same log in every run
    for number in range(pages):
        day = 1 + number * DAYS // pages
        body = ",".join(_event(dice, day, members) for _ in range(PAGE))
        more = "true" if number + 1 < pages else "false"
        text = f'{{"events":[{body}],"cursor":"{number + 1}","has_more":{more}}}'
        (folder / f"{number:06d}.gz").write_bytes(gzip.compress(text.encode(), compresslevel=1))
    (folder / "done").touch()


def _event(dice: random.Random, day: int, members: int) -> str:
    who, (category, kind) = int(members * dice.random() ** 2), KINDS[dice.randrange(len(KINDS))]
    clock = {"hour": dice.randrange(6, 20), "minute": dice.randrange(60), "second": dice.randrange(60)}
    return EVENT % {"day": day, "category": category, "kind": kind, "who": who, "member": member_id(who), **clock}


class _Handler(BaseHTTPRequestHandler):
    folder: Path
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["Content-Length"]))
        body, packed = self._answer(asked)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        if packed:
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _answer(self, asked: bytes) -> tuple[bytes, bool]:
        if self.path.endswith("features/get_values"):
            return FEATURES, False
        if self.path.endswith("team/get_info"):
            return TEAM, False
        number = int(asked.split(b'"')[3]) if b"cursor" in asked else 0
        return (self.folder / f"{number:06d}.gz").read_bytes(), True

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""


if __name__ == "__main__":
    _Handler.folder = Path(sys.argv[1])
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()
