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


def refusals(root: Path) -> dict[str, str]:
    """What import-linter says of the packages there, by the contract that is broken. Its heading is underlined."""
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    surroundings = {**os.environ, "PYTHONPATH": str(root), "COLUMNS": "1000"}
    told = subprocess.run(command, cwd=root, env=surroundings, capture_output=True, text=True, check=False)
    assert told.returncode == 1, told.stdout + told.stderr
    pieces = re.split(r"^(.+)\n-+\n", told.stdout.partition("Broken contracts")[2], flags=re.M)
    return dict(zip(pieces[1::2], pieces[2::2], strict=True))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Our packages and the contracts, to be spoiled."""
    for app in APPS:
        shutil.copytree(ROOT / app, tmp_path / app, ignore=shutil.ignore_patterns("static", "__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_an_import_from_a_layer_above_is_refused_in_every_layer(copy: Path) -> None:
    """All are planted at once, since every look at the imports of all packages takes seconds."""
    planted = []
    for name in LAYERED:
        for above, below in pairwise(layers_of(CONTRACTS[name])):
            for module in below:
                path = file_of(module, copy)
                path.write_text(f"{path.read_text()}\nimport {above[0]}  # planted\n")
                planted.append((CONTRACTS[name]["name"], f"{module} -> {above[0]} "))
    told = refusals(copy)
    missed = [f"{name}: {chain}" for name, chain in planted if chain not in told.get(name, "")]
    assert len(planted) > 300 and missed == []


def test_a_module_that_stands_in_no_layer_is_refused(copy: Path) -> None:
    closed = [name for name in LAYERED if "containers" in CONTRACTS[name]]
    for name in closed:
        (container,) = CONTRACTS[name]["containers"]
        (file_of(container, copy).parent / "newcomer.py").write_text('"""Nobody has said where this belongs."""\n')
    told = refusals(copy)
    assert [name for name in closed if "newcomer" not in told.get(CONTRACTS[name]["name"], "")] == []


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
    bare = ["samsaas", "samsaas.api", "samsaas.templatetags"]  # packages that hold nothing themselves
    assert sorted(missing) == bare
