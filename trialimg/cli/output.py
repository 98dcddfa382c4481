"""How an answer is printed: one JSON document on stdout, and nothing else there."""

from __future__ import annotations

import json

import click

from trialimg.core.digest import plain

__all__ = ["json_option", "print_json"]

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document on stdout and nothing else."
)


def print_json(value: object) -> None:
    """Write a value as one JSON document."""
    click.echo(json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False))
