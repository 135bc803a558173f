"""How the code is written: docstrings, sizes, imports, clocks, engines."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted(path for room in ("jobs", "expectations", "dags") for path in (ROOT / room).rglob("*.py"))
NAMES = [str(path.relative_to(ROOT)) for path in MODULES]
MAX_LINES = 400

#: the only places that ask what time it is, and why
CLOCKS = {
    "jobs/steps/publish.py": "published_at of the log and the manifest",
    "jobs/extract/pages.py": "how long a server asks to wait (Retry-After as a date)",
    "jobs/sample/standalone.py": "which Airflow this start brought up",
    "jobs/cli/approve.py": "when a person approved",
    "jobs/cli/sampling.py": "check-source looks at all there is; it computes nothing",
}
_CLOCK = re.compile(
    r"datetime\.(utc)?now\(|date\.today\(|\btime\.time(_ns)?\(|CURRENT_DATE|current_timestamp\(|\bnow\(\)"
)
_OLD_SPARK = re.compile(r"_jvm|sparkContext|\.rdd\b")


@cache
def text_of(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


@cache
def tree_of(name: str) -> ast.Module:
    return ast.parse(text_of(name))


def public(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[str, ast.AST]]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield prefix + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from public(node.body, f"{prefix}{node.name}.")


@pytest.mark.parametrize("name", NAMES)
def test_every_module_and_every_public_thing_says_what_it_is(name: str) -> None:
    tree = tree_of(name)
    assert ast.get_docstring(tree), f"{name} has no docstring"
    silent = [thing for thing, node in public(tree.body) if not ast.get_docstring(node)]  # type: ignore[arg-type]  # a def or class
    assert not silent, f"{name}: no docstring on {', '.join(silent)}"


@pytest.mark.parametrize("name", NAMES)
def test_modules_are_short(name: str) -> None:
    assert len(text_of(name).splitlines()) <= MAX_LINES


@cache
def code_of(name: str) -> str:
    """A module's text without docstrings and comments, which may speak of anything."""
    tree = ast.parse(text_of(name))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body[0] = ast.Pass()
    return ast.unparse(tree)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_reads_the_clock_to_decide(name: str) -> None:
    found = _CLOCK.findall(code_of(name)) != []
    assert found == (name in CLOCKS), f"{name}: {'asks the time' if found else 'is listed and asks no time'}"


@pytest.mark.parametrize("name", NAMES)
def test_spark_is_spoken_to_through_connect_alone(name: str) -> None:
    assert not _OLD_SPARK.search(code_of(name))


def test_definitions_load_nothing_third_party() -> None:
    program = """
import sys
before = set(sys.modules)
import importlib, pkgutil, jobs.definitions
for module in pkgutil.walk_packages(jobs.definitions.__path__, "jobs.definitions."):
    importlib.import_module(module.name)
roots = {name.partition(".")[0] for name in set(sys.modules) - before}
print(sorted(roots - set(sys.stdlib_module_names) - {"jobs"}), "jobs.definitions.published" in sys.modules)
print(sorted(name for name in sys.modules if name.startswith("jobs.") and not name.startswith("jobs.definitions")))
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[] True", "[]"]


def test_a_command_begins_without_what_only_some_need() -> None:
    program = """
import sys
sys.argv = ["regulars", "--help"]
from jobs.cli import main
try:
    main()
except SystemExit:
    pass
print(sorted({"great_expectations", "pyspark", "pandas", "sqlalchemy", "scipy"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]", "each of a night's dozen processes would wait seconds for it"


def test_the_page_of_faults_names_tests_that_exist() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", (ROOT / "docs" / "faults.md").read_text())
    assert len(named) > 20
    missing = [f"{path}::{test}" for path, test in named if f"def {test}(" not in (ROOT / path).read_text()]
    assert missing == []
