"""Places in a store that may be replaced by another one under the same name."""

from __future__ import annotations

import threading


class Places:
    """Map where an event lies in the store to its place among all that were ever there.

    Places only grow: where the store begins anew (a file that was truncated or rotated, a table
    that was restored), its first place follows the last one that was given. `mark` is what the
    store has at the position `seen`, by which it is recognised. Hold `lock` while you use it.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.seen = 0
        self.mark: object = None
        self._base = 0
        self._last = 0

    def restart(self) -> None:
        """Begin anew: what was read has to be read again."""
        self._base, self.seen, self.mark = self._last, 0, None

    def place(self, at: int) -> int:
        """Return the place of what lies at a position of the store, 1 or more."""
        self._last = max(self._last, self._base + at)
        return self._base + at

    def position(self, place: int) -> int:
        """Return the position of a place in the store; 0 for one in a store before this one."""
        return max(0, place - self._base)
