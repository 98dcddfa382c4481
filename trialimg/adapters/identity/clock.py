"""The machine's clock."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["SystemClock"]


class SystemClock:
    """The present moment by this machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)
