"""The fence between the layers has no gap: a forbidden import is planted in each of them and has to be refused."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.test_architecture import APPS, ROOT

CONTRACTS = {
    contract["id"]: contract
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
}
LAYERED = [name for name, contract in CONTRACTS.items() if contract["type"] == "layers"]
pytestmark = pytest.mark.own_database


def layers_of(contract: dict[str, Any]) -> list[list[str]]:
    """The modules of each layer from the top down, by their whole names."""
    prefix = f"{contract['containers'][0]}." if "containers" in contract else ""
    return [[prefix + name.strip() for name in re.split(r"[|:]", layer)] for layer in contract["layers"]]


def file_of(module: str, root: Path) -> Path:
    path = root / module.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def lint(root: Path, contract: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache", "--contract", contract]
    surroundings = {**os.environ, "PYTHONPATH": str(root), "COLUMNS": "1000"}
    return subprocess.run(command, cwd=root, env=surroundings, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Our packages and the contracts, to be spoiled."""
    for app in APPS:
        shutil.copytree(ROOT / app, tmp_path / app, ignore=shutil.ignore_patterns("static", "__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", [name for name in LAYERED if len(CONTRACTS[name]["layers"]) > 1])
def test_an_import_from_a_layer_above_is_refused_in_every_layer(name: str, copy: Path) -> None:
    planted = []
    for above, below in pairwise(layers_of(CONTRACTS[name])):
        for module in below:
            path = file_of(module, copy)
            path.write_text(f"{path.read_text()}\nimport {above[0]}  # planted\n")
            planted.append((module, above[0]))
    told = lint(copy, name)
    assert told.returncode == 1, told.stdout + told.stderr
    missed = [f"{module} -> {above}" for module, above in planted if f"{module} -> {above} " not in told.stdout]
    assert not missed, told.stdout


@pytest.mark.parametrize("name", [name for name in LAYERED if "containers" in CONTRACTS[name]])
def test_a_module_that_stands_in_no_layer_is_refused(name: str, copy: Path) -> None:
    (container,) = CONTRACTS[name]["containers"]
    (file_of(container, copy).parent / "newcomer.py").write_text('"""Nobody has said where this belongs."""\n')
    told = lint(copy, name)
    assert told.returncode == 1 and "newcomer" in told.stdout, told.stdout


def test_every_folder_of_an_app_has_a_fence_of_its_own() -> None:
    fenced = {container for name in LAYERED for container in CONTRACTS[name].get("containers", [])}
    without = {"models", "migrations", "management", "commands", "templatetags", "static", "formats", "en"}
    folders = {
        str(path.parent.relative_to(ROOT)).replace("/", ".")
        for app in APPS
        for path in (ROOT / app).rglob("__init__.py")
        if not without & set(path.parent.relative_to(ROOT).parts)
    }
    vendors = {folder for folder in folders if folder.startswith("profiles.connectors.")}
    assert folders - vendors - fenced == set()


def test_every_module_of_the_project_stands_above_or_below_the_apps() -> None:
    listed = {module for layer in layers_of(CONTRACTS["apps"]) for module in layer}
    paths = [path.relative_to(ROOT).with_suffix("") for path in (ROOT / "samsaas").rglob("*.py")]
    names = [".".join(path.parts).removesuffix(".__init__") for path in paths]
    missing = [name for name in names if not any(f"{name}.".startswith(f"{module}.") for module in listed)]
    assert sorted(missing) == ["samsaas", "samsaas.templatetags"]  # the bare packages; they hold nothing
