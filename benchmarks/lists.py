"""How long the lists take over a million seats, against the same SQL written by hand. Prints Markdown.

    python benchmarks/lists.py --seats 1000000 --database postgresql://user@host/benchmark_lists
    python benchmarks/lists.py --only "search" --database …

A page is asked for through the whole application (middleware, permissions, filter, table, template), in process. Its
own SQL is the time of all its queries as the application sends them; by hand means the count (of a search: up to
10,001) and the rows of the page, and nothing else. All in turn, so that they share the machine's mood; by hand five
times at most, because some of it takes half a minute. Where the rows take long, the page goes out before them; what
they take then is a column of its own, and both are set against the SQL by hand. The database keeps what it was filled
with.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.settings import database, environment  # noqa: E402

if TYPE_CHECKING:
    from benchmarks.lists_by_hand import Asked

MOST_BY_HAND = 5
HEAD = """\
| page | page p50 | page p95 | then its rows | its SQL p50 | by hand p50 | page / by hand | its SQL / by hand |
|---|---:|---:|---:|---:|---:|---:|---:|"""
LATE = {"HX-Trigger": "looking"}  # how a page that went out before its rows asks for them


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="benchmark-") as scratch:
        os.environ.update(environment(database(options.database, Path(scratch))), DEBUG="false")
        os.environ["ALLOWED_HOSTS"] = "testserver"
        os.environ["SERVE_UNCOLLECTED_STATIC"] = "true"
        from samsaas.web_server.application import load_application  # noqa: PLC0415 - the environment comes first

        load_application()
        from benchmarks import lists_by_hand, lists_data  # noqa: PLC0415

        lists_data.prepare(options.seats)
        client, words = lists_data.reader(), lists_by_hand.words()
        print(f"\n{options.seats:,} seats; milliseconds, of {options.rounds} rounds\n")
        print(HEAD)
        for asked in lists_by_hand.LISTS:
            if options.only in asked.label:
                _print_row(asked, client, words, options.rounds)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seats", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--only", default="", help="only lists with this in their label")
    parser.add_argument("--database", default="sqlite", help='"sqlite" or the URL of a database named benchmark…')
    return parser.parse_args()


def _print_row(asked: Asked, client: Any, words: dict[str, Any], rounds: int) -> None:
    print_row(asked.label, asked.address.format(**words), asked.by_hand(words), client, rounds)


def print_row(label: str, address: str, statements: Sequence[str], client: Any, rounds: int) -> None:
    """Ask for the page and for its statements in turn, and print their times as a row."""
    _page(client, address), _by_hand(statements)
    pages: list[float] = []
    late: list[float] = []
    own: list[float] = []
    by_hand: list[float] = []
    pause = -(-rounds // MOST_BY_HAND)
    for number in range(rounds):
        whole, sql, is_looking = _page(client, address)
        pages.append(whole)
        if number % pause == 0:
            rows, sql_of_rows, _ = _page(client, address, LATE) if is_looking else (0.0, 0.0, False)
            late.append(rows)
            own.append(sql + sql_of_rows)
            by_hand.append(_by_hand(statements))
    page, rows, sql, hand = _p50(pages), _p50(late), _p50(own), _p50(by_hand)
    figures = f"{page:.0f} | {_p95(pages):.0f} | {f'{rows:.0f}' if rows else ''} | {sql:.0f} | {hand:.0f}"
    print(f"| {label} | {figures} | {(page + rows) / hand:.1f} | {sql / hand:.1f} |", flush=True)


def _page(client: Any, address: str, headers: dict[str, str] | None = None) -> tuple[float, float, bool]:
    """Milliseconds of the whole page, and of its queries, and whether it went out before its rows."""
    from django.db import connection  # noqa: PLC0415

    spent = 0.0

    def timed(execute: Any, *query: Any) -> Any:
        nonlocal spent
        began = time.perf_counter()
        try:
            return execute(*query)
        finally:
            spent += 1000 * (time.perf_counter() - began)

    began = time.perf_counter()
    with connection.execute_wrapper(timed):
        answer = client.get(address, secure=True, headers=headers)
    if answer.status_code != 200:
        raise SystemExit(f"{address}: {answer.status_code}")
    return 1000 * (time.perf_counter() - began), spent, b'id="looking"' in answer.content


def _by_hand(statements: Sequence[str]) -> float:
    from django.db import connection  # noqa: PLC0415

    began = time.perf_counter()
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
            cursor.fetchall()
    return 1000 * (time.perf_counter() - began)


def _p50(found: list[float]) -> float:
    return sorted(found)[len(found) // 2]


def _p95(found: list[float]) -> float:
    return sorted(found)[min(len(found) - 1, round(len(found) * 0.95))]


if __name__ == "__main__":
    main()
