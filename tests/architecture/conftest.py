"""The package as text: every module parsed once, none imported."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Module:
    """One source file."""

    path: str
    """Relative to the top of the repository, with forward slashes."""
    text: str
    tree: ast.Module

    @property
    def room(self) -> str:
        """`core` for trialimg/core/lesions.py, `apps` for everything there."""
        package, *rest = self.path.removesuffix(".py").split("/")
        return rest[0] if package == "trialimg" else package

    @property
    def functions(self) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
        return [node for node in ast.walk(self.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]

    @classmethod
    def of(cls, path: str, text: str) -> Module:
        return cls(path, text, ast.parse(text))


def modules_below(root: Path) -> tuple[Module, ...]:
    found = [*(root / "trialimg").rglob("*.py"), *(root / "apps").rglob("*.py")]
    files = sorted(file for file in found if "node_modules" not in file.parts)
    return tuple(Module.of(file.relative_to(root).as_posix(), file.read_text()) for file in files)


@pytest.fixture(scope="session")
def modules(root: Path) -> tuple[Module, ...]:
    return modules_below(root)


@pytest.fixture(scope="session")
def module_of() -> type[Module]:
    """To write a module that breaks a rule."""
    return Module
