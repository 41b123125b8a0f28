"""The house rules that no linter holds: sizes, names, and who may write what. docs/developing.md says why."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from io import StringIO
from pathlib import Path
from statistics import median

import pytest
from django.core.management import call_command
from django.db.models import BaseConstraint, UniqueConstraint
from django.forms import ModelForm

pytestmark = pytest.mark.one_database

ROOT = Path(__file__).parent.parent
APPS = ("samsaas", "profiles", "subscriptions", "reclamation")
MODULE_LINES, VIEW_LINES, FUNCTION_MEDIAN = 400, 20, 10
VAGUE = {"utils", "helpers", "services", "common", "misc", "manager", "managers"}
# Who may write a job run's lease: claiming, fencing and ending have one home, so that no zombie gets through. Deleting
# a profile ends its runs, and the embedded mode gives its own back when it stops.
LEASE = {"owner", "heartbeat_at"}
LEASE_WRITERS = {f"profiles/jobs/{name}.py" for name in ("job", "execute", "queue")}
LEASE_WRITERS |= {"profiles/delete_profile.py", "samsaas/embedded.py"}
LEASE_WRITERS |= {"reclamation/attempts.py", "samsaas/outbox.py"}  # attempts and mails have leases of their own
LEASE_WRITERS |= {"samsaas/events/call.py"}  # and so have calls of webhooks
# Who may give a removal candidate its state: one module, where every move is checked and kept as history. Attempts and
# batches of removals have one each as well.
STATE_WRITERS = {"reclamation/workflow.py", "reclamation/attempts.py", "reclamation/removal/batches.py"}
WRITING = {"update", "create", "get_or_create", "update_or_create", "bulk_update", "setattr", "RemovalCandidate"}


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of ours but migrations, by its path."""
    paths = [path for app in APPS for path in (ROOT / app).rglob("*.py") if "migrations" not in path.parts]
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text()) for path in paths}


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the body without its docstring: what has to be understood at once."""
    documented = ast.get_docstring(function) is not None and len(function.body) > 1
    first = function.body[1 if documented else 0]
    return (function.end_lineno or 0) - first.lineno + 1


def written(call: ast.Call) -> set[str]:
    """The columns that `queryset.update(…)` sets."""
    is_update = isinstance(call.func, ast.Attribute) and call.func.attr == "update"
    return {keyword.arg for keyword in call.keywords if keyword.arg} if is_update else set()


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    said = StringIO()
    call_command("makemigrations", check=True, dry_run=True, stdout=said)
    assert "No changes detected" in said.getvalue()


def test_modules_stay_within_one_sitting() -> None:
    long = {name: lines for name in modules() if (lines := len((ROOT / name).read_text().splitlines())) > MODULE_LINES}
    assert long == {}, "split by step, and name the piece after its step"


def test_views_check_call_one_verb_and_answer() -> None:
    views = {name: tree for name, tree in modules().items() if "/views" in name}
    long = {
        f"{name}:{function.name}": lines
        for name, tree in views.items()
        for function in functions(tree)
        if (lines := body_lines(function)) > VIEW_LINES
    }
    assert long == {}


def test_half_of_all_functions_are_short() -> None:
    assert (
        median(body_lines(function) for tree in modules().values() for function in functions(tree)) <= FUNCTION_MEDIAN
    )


def test_module_names_are_words_of_the_domain() -> None:
    vague = {name for name in modules() if VAGUE & set(Path(name).with_suffix("").parts)}
    assert vague == set()


def test_every_module_says_what_it_is_for() -> None:
    silent = {name for name, tree in modules().items() if tree.body and ast.get_docstring(tree) is None}
    assert silent == set()


def test_lease_of_a_job_run_is_written_in_one_place() -> None:
    writers = {
        name
        for name, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and written(node) & LEASE
    }
    assert writers <= LEASE_WRITERS


def knows_candidates(name: str, tree: ast.Module) -> bool:
    """Whether the module can get hold of one: it is one of theirs, or imports from them."""
    imported = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    return name.startswith("reclamation/") or any(module.startswith("reclamation") for module in imported)


def writes_state(node: ast.AST) -> bool:
    """`x.state = …`, or a writing call that names `state` or hides its columns behind `**`."""
    if isinstance(node, ast.Attribute):
        return node.attr == "state" and isinstance(node.ctx, ast.Store)
    if not isinstance(node, ast.Call):
        return False
    called = getattr(node.func, "attr", getattr(node.func, "id", ""))
    named = any(keyword.arg in ("state", None) for keyword in node.keywords)
    spelled = any(isinstance(part, ast.Constant) and part.value == "state" for part in ast.walk(node))
    return called in WRITING and (named or spelled)


def test_state_of_a_removal_candidate_is_written_in_one_place() -> None:
    writers = {
        name
        for name, tree in modules().items()
        if knows_candidates(name, tree) and any(writes_state(node) for node in ast.walk(tree))
    }
    assert writers == STATE_WRITERS


@pytest.mark.parametrize(
    "line",
    [
        "candidate.state = 'ready'",
        "rows.update(note='', state='ready')",
        "rows.update(**changes)",
        "RemovalCandidate(state='ready').save()",
        "setattr(candidate, 'state', 'ready')",
        "RemovalCandidate.objects.bulk_update(rows, ['state'])",
    ],
)
def test_no_way_of_writing_a_state_escapes_the_look(line: str) -> None:
    assert any(writes_state(node) for node in ast.walk(ast.parse(line)))
    assert not any(writes_state(node) for node in ast.walk(ast.parse("rows.filter(state='ready').update(note='')")))


def test_no_form_can_print_the_name_of_a_constraint() -> None:
    """Django says “Constraint “x” is violated.” where a constraint has no words and no plain list of fields."""
    for path in modules():
        if "form" in path.rsplit("/", 1)[-1]:
            import_module(path.removesuffix(".py").replace("/", "."))
    found = {form._meta.model for form in _below(ModelForm) if form.__module__.split(".")[0] in APPS}
    constraints = [one for model in found - {None} for one in model._meta.constraints]
    assert len(found) > 5 and len(constraints) > 5
    assert [one.name for one in constraints if not _has_words(one)] == []


def _below(kind: type) -> Iterator[type]:
    for one in kind.__subclasses__():
        yield from (one, *_below(one))


def _has_words(constraint: BaseConstraint) -> bool:
    plain_fields = isinstance(constraint, UniqueConstraint) and constraint.fields and constraint.condition is None
    return bool(plain_fields) or constraint.violation_error_message != constraint.default_violation_error_message


def test_every_text_is_searched_in_one_way() -> None:
    """Databases disagree on capitals and know nothing of accents; `samsaas.lib.search` knows both."""
    own = {name for name in modules() if "icontains" in (ROOT / name).read_text()}
    assert own == set()


def test_apps_do_not_talk_by_signals() -> None:
    """Facts go up by being stored, orders go down by being called; Django's own post_migrate is not between apps."""
    own = {
        name
        for name, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "django.dispatch"
    }
    assert own == set()
