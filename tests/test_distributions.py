"""Every distribution of the repository can be published: it says what it is, what it needs, and one version."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parent.parent
SOURCES = [ROOT, *sorted((ROOT / "plugins").glob("mmlm-*")), *sorted((ROOT / "examples").glob("plugin-*"))]
NAMES = [str(source.relative_to(ROOT)) for source in SOURCES]


giving = cache(packages_distributions)


@cache
def project(name: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / name / "pyproject.toml").read_text(encoding="utf-8"))["project"]  # type: ignore[no-any-return]


def package(name: str) -> Path:
    """Return the folder of a distribution's package."""
    return ROOT / name / str(project(name)["name"]).replace("-", "_")


def imports(path: Path) -> Iterator[str]:
    """Yield the outermost package of each import of a module, those within functions too, but those that may fail."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    tried = {
        inner for node in ast.walk(tree) if isinstance(node, ast.Try) for part in node.body for inner in ast.walk(part)
    }
    for node in ast.walk(tree):
        if node in tried:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield (node.module or "").partition(".")[0]


@pytest.mark.parametrize("name", NAMES)
def test_a_distribution_declares_what_it_imports(name: str) -> None:
    """So that its wheel works where nothing else is installed."""
    given = project(name)
    listed = [
        *given["dependencies"],
        *(text for extra in given.get("optional-dependencies", {}).values() for text in extra),
    ]
    declared = {canonicalize_name(Requirement(text).name) for text in listed} | {canonicalize_name(given["name"])}
    modules = [path for path in package(name).rglob("*.py") if "templates" not in path.parts]
    assert modules
    undeclared = {
        f"{path.relative_to(ROOT)} imports {imported}"
        for path in modules
        for imported in set(imports(path)) - sys.stdlib_module_names - {package(name).name}
        if not {canonicalize_name(giver) for giver in giving().get(imported, [imported])} & declared
    }
    assert not undeclared, f"{given['name']} does not declare what it imports"


@pytest.mark.parametrize("name", NAMES)
def test_a_version_stands_once_or_is_the_same(name: str) -> None:
    version = project(name)["version"]
    assert str(Version(version)) == version
    told = re.findall(r'^__version__ = "(.*)"$', (package(name) / "__init__.py").read_text(encoding="utf-8"), re.M)
    assert told in ([], [version])


@pytest.mark.parametrize("name", NAMES)
def test_the_core_of_this_tree_is_one_that_the_plugin_takes_and_no_later_one_is_asked_for(name: str) -> None:
    core = Version(project(".")["version"])
    asked = [Requirement(text) for text in project(name)["dependencies"] if text.startswith("mmlm-core")]
    assert (name == ".") == (not asked)
    assert all(core in requirement.specifier for requirement in asked)


@pytest.mark.parametrize("name", NAMES)
def test_a_distribution_has_what_the_index_shows_and_type_checkers_ask_for(name: str) -> None:
    given = project(name)
    assert (ROOT / name / given["readme"]).read_text(encoding="utf-8").startswith("# mmlm")
    assert given["description"].endswith(".") and given["license"].startswith("Apache-2.0")
    assert given["requires-python"] == ">=3.11"
    assert (package(name) / "py.typed").is_file() or name == "examples/plugin-minimal"
    if name != ".":
        (module,) = given["entry-points"]["mmlm.plugins"].values()
        assert module == f"{package(name).name}.plugin" and (package(name) / "plugin.py").is_file()
