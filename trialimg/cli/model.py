"""`trialimg model`: which segmenters and models there are, and whether one is what it says it is."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from trialimg.cli.model_health import close_task, health
from trialimg.cli.output import json_option, print_json

__all__ = ["model"]

_DEVICE = click.option(
    "--device", type=click.Choice(["auto", "cpu", "cuda", "mps"]), default="cpu", show_default=True,
    help="Where a network runs.",
)  # fmt: skip


@click.group("model")
def model() -> None:
    """Segmenters by name and models by path: what there is, what one is, whether it is unaltered."""


@model.command("list")
@json_option
def entries(as_json: bool) -> None:
    """Every segmenter that can be asked for by name, and what it needs."""
    from trialimg import bootstrap

    found = bootstrap.model_entries()
    if as_json:
        print_json({"segmenters": found})
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table()
    for heading in ("Name", "Version", "Needs", "What it is"):
        table.add_column(heading, no_wrap=heading != "What it is")
    for entry in found:
        needs = "; ".join(filter(None, (entry.needs, entry.missing)))
        table.add_row(entry.name, entry.version, escape(needs), escape(entry.about))
    Console(soft_wrap=True, highlight=False, width=150).print(table)


@model.command("show")
@click.argument("name_or_path")
@_DEVICE
@json_option
def show(name_or_path: str, device: str, as_json: bool) -> None:
    """Digest, licence and every setting of the segmenter NAME_OR_PATH."""
    from trialimg import bootstrap

    facts = bootstrap.model_facts(name_or_path, device=device)
    if as_json:
        print_json(facts)
        return
    click.echo(f"{facts['name']} {facts['version']}")
    click.echo(f"digest: {facts['model_digest'] or 'none, no model'}")
    click.echo(f"licence: {facts['licence'] or 'none is stated'}")
    parameters = facts["parameters"]
    for name, value in parameters.items() if isinstance(parameters, dict) else ():
        click.echo(f"  {name}: {value}")


@model.command("verify")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--digest", default="", metavar="sha256:...", help="Digest that the model must have.")
@_DEVICE
@json_option
def verify(path: Path, digest: str, device: str, as_json: bool) -> None:
    """Whether the model at PATH is described, unaltered, licensed, runs, and answers the same twice; exit 1 if not."""
    from trialimg import bootstrap

    checks = bootstrap.check_model(path, pinned=digest, device=device)
    passed = all(check.passed for check in checks)
    if as_json:
        print_json({"path": str(path), "passed": passed, "checks": checks})
    else:
        for check in checks:
            click.echo(f"{'ok  ' if check.passed else 'FAIL'}  {check.what}: {check.found}")
    sys.exit(0 if passed else 1)


model.add_command(health)
model.add_command(close_task)
