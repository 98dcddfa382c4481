"""Labels of lesions as the datasets spell them: T01, NT01, NEW01, T01.1 for a part of T01."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from trialimg.core.lesions import Role

__all__ = ["lesion_labels"]

_PREFIX = {Role.TARGET: "T", Role.NON_TARGET: "NT", Role.NEW: "NEW"}


def lesion_labels(lesions: Iterable[tuple[str, str, Role, str]]) -> Mapping[str, str]:
    """Lesion id to its label; the readers' own labels stay where they are spelt like that.

    Parameters
    ----------
    lesions
        Id, reader's label, role and id of the lesion that it is a part of, in order of appearance.
    """
    known = {lesion: (label, role, parent) for lesion, label, role, parent in lesions}
    whole = {lesion: found for lesion, found in known.items() if found[2] not in known}
    labels: dict[str, str] = {}
    for role, prefix in _PREFIX.items():
        own = {lesion: label for lesion, (label, of, _) in whole.items() if of is role}
        is_spelt = re.compile(prefix + r"\d{2}").fullmatch
        keeps = all(is_spelt(label) for label in own.values()) and len(set(own.values())) == len(own)
        numbered = {lesion: f"{prefix}{number:02d}" for number, lesion in enumerate(own, start=1)}
        labels |= own if keeps else numbered
    parts: dict[str, int] = {}
    waiting = [lesion for lesion in known if lesion not in labels]
    while waiting:
        ready = [lesion for lesion in waiting if known[lesion][2] in labels]
        for lesion in ready or waiting:
            parent = known[lesion][2]
            parts[parent] = parts.get(parent, 0) + 1
            labels[lesion] = f"{labels.get(parent, 'T00')}.{parts[parent]}"
        waiting = [lesion for lesion in waiting if lesion not in labels]
    return labels
