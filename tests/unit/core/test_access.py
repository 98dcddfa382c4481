"""The matrix of rights is whole, least, and what the page about it says."""

from __future__ import annotations

import pytest

from trialimg.core.access import BLINDED_SIGHT, DENIALS, PERMISSIONS, SEAT_DENIALS, Action, Role

ROLES = [role for role in Role if role is not Role.DEVICE]


def matrix_page():
    """The tables of docs/reference/people.md, from the data."""
    words = [role.value for role in Role]
    lines = ["| action | " + " | ".join(words) + " |", "|---|" + ":-:|" * len(words)]
    for action in Action:
        marks = ["yes" if action in PERMISSIONS[role] else "" for role in Role]
        lines.append(f"| `{action.value}` | " + " | ".join(marks) + " |")
    lines += ["", "| may not | who |", "|---|---|"]
    for rule in DENIALS:
        actions = ", ".join(f"`{action.value}`" for action in sorted(rule.actions, key=lambda one: one.value))
        held = [f"holds or held {role.value}" for role in sorted(rule.held, key=lambda one: one.value)]
        done = [f"did `{word}`" for word in sorted(rule.done)]
        told = [f"is a recipient of an `{word}`" for word in sorted(rule.told)]
        lines.append(f"| {actions} in that trial | {', '.join([*held, *done, *told])} |")
    for action, seats in SEAT_DENIALS.items():
        who = " or ".join(sorted(seat.value for seat in seats))
        lines.append(f"| `{action.value}` at that case | was assigned there as {who} |")
    lines += ["", "| role | kind of record | sees |", "|---|---|---|"]
    for role, kinds in BLINDED_SIGHT.items():
        lines += [f"| {role.value} | `{kind}` | {sight.value} |" for kind, sight in sorted(kinds.items())]
    return "\n".join(lines)


def test_every_role_has_its_rights_and_every_action_somebody_who_may():
    assert set(PERMISSIONS) == set(Role)
    assert set().union(*PERMISSIONS.values()) == set(Action)


@pytest.mark.parametrize(
    ("action", "roles"),
    [
        (Action.READ, {Role.RADIOLOGIST}),
        (Action.ADJUDICATE, {Role.ADJUDICATOR}),
        (Action.PROPOSE_READ, {Role.DEVICE}),
        (Action.MANAGE_USERS, {Role.ADMINISTRATOR}),
        (Action.REVIEW_ACCESS, {Role.ADMINISTRATOR}),
        (Action.UNBLIND, {Role.ANALYST}),
        (Action.OWN_ACCOUNT, set(ROLES)),
    ],
    ids=lambda one: one.value if isinstance(one, Action) else "",
)
def test_what_decides_a_trial_is_given_to_one_duty(action, roles):
    assert {role for role, actions in PERMISSIONS.items() if action in actions} == roles


@pytest.mark.parametrize("role", [Role.RADIOLOGIST, Role.ADJUDICATOR])
def test_readers_have_no_right_beside_their_reading_and_their_account(role):
    assert len(PERMISSIONS[role]) == 2


def test_an_inspector_looks_and_changes_nothing():
    assert all(action.value.startswith("view_") for action in PERMISSIONS[Role.INSPECTOR] - {Action.OWN_ACCOUNT})


def test_the_page_shows_the_data(root):
    assert matrix_page() in (root / "docs" / "reference" / "people.md").read_text()
