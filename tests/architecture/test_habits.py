"""Habits that a linter has no rule for."""

from __future__ import annotations

import ast
import re
import subprocess

import pytest

EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "misc", "tools"}

# Some files are built to break any reader, so intake isolates each one: whatever reading it does becomes a finding.
MAY_CATCH_ANYTHING = "trialimg/adapters/dicom/"

SOMEBODYS_FOLDER = re.compile(r"(?<![\w.\-/*>}])/(?:work|home|Users)/\w")


def public(node):
    """Functions and classes that a module offers."""
    return [n for n in node.body if isinstance(n, DEFINITIONS) and not n.name.startswith("_")]


DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def listed(module):
    """The names in a module's `__all__`, or None where it has none."""
    for node in module.tree.body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets):
            return ast.literal_eval(node.value)
    return None


def bound(module):
    """Every name that a module binds at its top level."""
    names = set()
    for node in module.tree.body:
        if isinstance(node, DEFINITIONS):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {t.id for t in targets if isinstance(t, ast.Name)}
    return names


def offered_but_absent(module):
    return [f"{module.path}: __all__ names {name}" for name in listed(module) or () if name not in bound(module)]


def undocumented(module):
    nameless = [] if ast.get_docstring(module.tree) else [f"{module.path} has no docstring"]
    return nameless + [
        f"{module.path}:{node.lineno} {node.name} has no docstring"
        for node in public(module.tree)
        if ast.get_docstring(node) is None
    ]


def prints(module):
    calls = (node for node in ast.walk(module.tree) if isinstance(node, ast.Call))
    return [
        f"{module.path}:{call.lineno} print"
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id == "print" and module.room != "cli"
    ]


def asserts(module):
    return [f"{module.path}:{n.lineno} assert" for n in ast.walk(module.tree) if isinstance(n, ast.Assert)]


def catches_anything(module):
    handlers = (node for node in ast.walk(module.tree) if isinstance(node, ast.ExceptHandler))
    return [
        f"{module.path}:{handler.lineno} except"
        for handler in handlers
        if handler.type is None or re.search(r"'(Base)?Exception'", ast.dump(handler.type))
    ]


def says_nothing(module):
    return [module.path for part in module.path.removesuffix(".py").split("/") if part in EMPTY_NAMES]


RULES = [offered_but_absent, undocumented, prints, asserts, says_nothing]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_no_module_breaks_the_habit(modules, rule):
    assert [fault for module in modules for fault in rule(module)] == []


def test_only_intake_of_single_files_catches_anything(modules):
    places = [fault for module in modules for fault in catches_anything(module)]
    assert [place for place in places if not place.startswith(MAY_CATCH_ANYTHING)] == []
    assert len(places) <= 1


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (offered_but_absent, "trialimg/x.py", '__all__ = ["absent"]'),
        (undocumented, "trialimg/x.py", "x = 1"),
        (undocumented, "trialimg/x.py", '"""Something."""\nclass Bare: ...'),
        (prints, "trialimg/stats/x.py", "print(1)"),
        (asserts, "trialimg/x.py", "def f(x):\n    assert x"),
        (catches_anything, "trialimg/x.py", "try:\n    f()\nexcept (ValueError, Exception):\n    pass"),
        (catches_anything, "trialimg/x.py", "try:\n    f()\nexcept:\n    pass"),
        (says_nothing, "trialimg/core/utils.py", ""),
    ],
)
def test_each_rule_finds_what_it_looks_for(module_of, rule, path, text):
    assert len(rule(module_of.of(path, text))) == 1


def test_no_file_names_a_folder_of_somebodys_machine(root):
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=False)
    if listing.returncode:
        pytest.skip("not a git checkout: no list of the project's files")
    files = [root / name for name in listing.stdout.split("\0") if name and not name.startswith("sample_data/")]
    assert len(files) > 50
    found = [
        f"{file.relative_to(root)}:{number}: {line.strip()}"
        for file in files
        if file.is_file()
        for number, line in enumerate(file.read_text(errors="ignore").splitlines(), start=1)
        if SOMEBODYS_FOLDER.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(("line", "names_one"), [("cd /" + "home/ann/x", True), ("https://a.org/home/x", False)])
def test_somebodys_folder_is_told_from_an_address(line, names_one):
    assert bool(SOMEBODYS_FOLDER.search(line)) is names_one
