"""Which passwords are taken: long ones that nobody guesses first; no rules about kinds of characters.

References
----------
NIST. Digital Identity Guidelines: Authentication and Authenticator Management. SP 800-63B, 2017, section 5.1.1.2.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from trialimg.core.errors import FaultsError

__all__ = ["LONGEST", "SHORTEST", "password_faults", "require_good"]

SHORTEST = 12
"""Characters."""
LONGEST = 256
"""Characters."""
_FEWEST_DISTINCT = 5
_WORDS = re.compile(r"[^\W_]+")
_PIECE = 4
"""Characters of a name, from which on it counts as part of a password."""

_WALKS = ("abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiopasdfghjklzxcvbnm", "1qaz2wsx3edc4rfv5tgb6yhn7ujm")
_GUESSED_FIRST = (
    "password", "passwort", "passw0rd", "p@ssw0rd", "letmein", "welcome", "iloveyou", "administrator", "changeme",
    "changeit", "secret", "trialimg", "radiology", "dragon", "monkey", "football", "baseball", "sunshine", "princess",
    "correcthorsebatterystaple",
)  # fmt: skip


def require_good(password: str, names: Sequence[str] = ()) -> None:
    """Go on only with a password that is hard to guess.

    Raises
    ------
    FaultsError
        With everything that is wrong with it.
    """
    if faults := password_faults(password, names):
        raise FaultsError(f"this password is not taken: it {' and '.join(faults)}")


def password_faults(password: str, names: Sequence[str] = ()) -> tuple[str, ...]:
    """What makes a password easy to guess for somebody who knows these names of its owner."""
    text = unicodedata.normalize("NFKC", password).casefold()
    rest = _without_guesses(text, names)
    found = {
        f"has {len(password)} characters, fewer than {SHORTEST}": len(password) < SHORTEST,
        f"has more than {LONGEST} characters": len(password) > LONGEST,
        f"has fewer than {_FEWEST_DISTINCT} different characters": len(set(text)) < _FEWEST_DISTINCT,
        "is little more than a name, a much used word or a walk over the keyboard": len(rest) < SHORTEST // 2,
    }
    return tuple(sentence for sentence, is_so in found.items() if is_so)


def _without_guesses(text: str, names: Sequence[str]) -> str:
    """What is left to guess once the words that are tried first are taken out, and walks cut down to one step."""
    pieces = [piece for name in names for piece in _WORDS.findall(name.casefold()) if len(piece) >= _PIECE]
    for word in sorted([*_GUESSED_FIRST, *pieces], key=len, reverse=True):
        text = text.replace(word, "")
    pairs = zip(" " + text, text, strict=False)
    return "".join(after for before, after in pairs if before != after and not _is_step(before, after))


def _is_step(first: str, second: str) -> bool:
    return any(first + second in walk or second + first in walk for walk in _WALKS)
