"""The verifier as one file: the modules that the package itself uses, one behind the other."""

from __future__ import annotations

import ast
import re
from functools import cache
from importlib.resources import files

from trialimg.core.errors import IntegrityError

__all__ = ["offline_verifier"]

# Each needs only what stands before it.
_MODULES = (
    "core/errors.py",
    "ledger/canonical.py",
    "ledger/merkle.py",
    "ledger/entry.py",
    "ledger/sealed.py",
    "ledger/keys.py",
    "ledger/checkpoint.py",
    "ledger/findings.py",
    "ledger/bundle_format.py",
    "ledger/bundle_reader.py",
    "ledger/verifier_chains.py",
    "ledger/verifier_contents.py",
    "ledger/verifier.py",
    "ledger/verifier_command.py",
)

_HEAD = '''\
#!/usr/bin/env python3
"""Verifies an exported trialimg bundle: needs Python 3.11 and the package `cryptography` (50 or later), nothing else.

    python verify_offline.py [BUNDLE] [--checkpoint FILE] [--keys FILE] [--json]

BUNDLE is a folder or a zip file; without it, the folder of this file. Exit code 0: everything is as it was signed;
1: something was found, and is named; 2: there is nothing to read. This copy came with what it verifies: to be sure of
it, compare it with one from the software's own release, or run `trialimg verify`.
"""
'''

_FOOT = """\
if __name__ == "__main__":
    sys.exit(command(bundle=Path(__file__).resolve().parent))
"""


@cache
def offline_verifier() -> str:
    """The source of ``verify_offline.py``; the same package gives the same text.

    Raises
    ------
    IntegrityError
        If two modules use one name for two things, so that they cannot stand in one file.
    """
    plain: set[str] = set()
    named: dict[str, set[str]] = {}
    bodies: list[str] = []
    owner: dict[str, str] = {}
    for path in _MODULES:
        text = files("trialimg").joinpath(path).read_text(encoding="utf-8")
        tree = ast.parse(text)
        for name in _bound(tree):
            if owner.setdefault(name, path) != path:
                raise IntegrityError(f"{owner[name]} and {path} both define {name}: they cannot stand in one file")
        _add_imports(tree, plain, named)
        bodies.append(f"# ---- trialimg/{path} " + "-" * (100 - len(path)) + "\n\n" + _body(text, tree))
    imports = [f"import {module}" for module in sorted(plain)]
    imports += [f"from {module} import {', '.join(sorted(named[module]))}" for module in sorted(named)]
    head = "\n".join(["from __future__ import annotations", "", *imports])
    return "\n\n".join([_HEAD.rstrip(), head, "\n" + "\n\n\n".join([*bodies, _FOOT])])


def _add_imports(tree: ast.Module, plain: set[str], named: dict[str, set[str]]) -> None:
    """Imports from outside of the package: whole modules, and names by module."""
    for node in tree.body:
        if isinstance(node, ast.Import):
            plain |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not _is_ours(node):
            named.setdefault(str(node.module), set()).update(alias.name for alias in node.names)


def _is_ours(node: ast.ImportFrom) -> bool:
    return node.module == "__future__" or (node.module or "").startswith("trialimg.")


def _bound(tree: ast.Module) -> set[str]:
    """Names that a module defines for itself at its top level."""
    names = set()
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {target.id for at in targets for target in ast.walk(at) if isinstance(target, ast.Name)}
    return names - {"__all__"}


def _body(text: str, tree: ast.Module) -> str:
    """The module's text without its imports and its `__all__`; its docstring stays, as a heading."""
    lines = text.splitlines()
    dropped: set[int] = set()
    for node in tree.body:
        is_all = isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
        if isinstance(node, ast.Import | ast.ImportFrom) or is_all:
            dropped |= set(range(node.lineno - 1, node.end_lineno or node.lineno))
    kept = "\n".join(line for number, line in enumerate(lines) if number not in dropped)
    return re.sub(r"\n{4,}", "\n\n\n", kept).strip()
