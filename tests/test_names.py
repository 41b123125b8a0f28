"""Names can be searched: the part of the naming rules that a test can hold. docs/developing.md says why."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator

import pytest

from tests.test_architecture import functions, modules

pytestmark = pytest.mark.one_database

# More functions than these may not be called by one word: its module's name has to complete it.
ONE_WORD_SHARE = 0.45
# Words that say nothing of what a function does or a value holds.
NO_FUNCTION = {"told", "said", "mine", "ours", "of", "do", "stuff", "thing"}
NO_PARAMETER = {"told", "said", "mine", "ours", "of"}


def all_functions() -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for path, tree in modules().items():
        yield from ((path, function) for function in functions(tree))


def words_of(name: str) -> list[str]:
    return [word for word in name.split("_") if word]


def test_most_functions_say_what_they_do_to_what() -> None:
    names = [function.name for _, function in all_functions() if not function.name.startswith("__")]
    short = [name for name in names if len(words_of(name)) == 1]
    assert len(names) > 1000
    assert len(short) / len(names) <= ONE_WORD_SHARE


def test_no_function_and_no_parameter_has_a_name_that_says_nothing() -> None:
    vague = []
    for path, function in all_functions():
        if function.name.strip("_") in NO_FUNCTION:
            vague.append(f"{path}:{function.lineno} {function.name}")
        given = function.args
        for argument in (*given.posonlyargs, *given.args, *given.kwonlyargs):
            if argument.arg.strip("_") in NO_PARAMETER:
                vague.append(f"{path}:{argument.lineno} {function.name}({argument.arg})")
    assert vague == []


@pytest.mark.parametrize("kind", ["exceptions and values", "tables and filters"])
def test_one_class_name_stands_for_one_thing(kind: str) -> None:
    """Django finds a command by its class `Command`. The stand-in Dropbox mirrors the vendor, and so its words."""
    homes: dict[str, set[str]] = defaultdict(set)
    for path, tree in modules().items():
        if "/sandbox/" in path or "/commands/" in path:
            continue
        for node in tree.body:
            is_list = isinstance(node, ast.ClassDef) and node.name.endswith(("Table", "Filter"))
            if isinstance(node, ast.ClassDef) and is_list == (kind == "tables and filters"):
                homes[node.name].add(path)
    assert {name: sorted(paths) for name, paths in homes.items() if len(paths) > 1 and name[0] != "_"} == {}


def test_every_field_of_a_job_run_says_what_it_holds() -> None:
    from profiles.models import JobRun  # noqa: PLC0415 - Django is set up by now

    silent = [field.name for field in JobRun._meta.concrete_fields if not field.help_text and not field.primary_key]
    assert silent == []
