"""Which of two models answers a user, and what a second one would have said.

Modes: `off`; `split`: a share of the users is answered by the candidate, always the same ones;
`shadow`: every request is answered by production, and what the candidate would have said is logged.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

from serving.follow.loader import Loader, Served

Arm = Literal["production", "candidate"]
Mode = Literal["off", "split", "shadow"]


def bucket(user_id: int) -> float:
    """Return where a user stands between 0 and 1: fixed, and evenly spread over all users."""
    digest = hashlib.blake2b(f"cinematch:{user_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) / 2**64


@dataclass(frozen=True)
class Experiment:
    """The model in production and its challenger.

    Attributes:
        production: answers, unless the candidate does.
        candidate: None in the mode `off`.
        mode: see above.
        share: of the users that the candidate answers in the mode `split`.
    """

    production: Loader
    candidate: Loader | None
    mode: Mode
    share: float

    def of(self, user_id: int) -> tuple[Arm, Served | None]:
        """Return who answers a user; production while no candidate is loaded."""
        if self.mode == "split" and self.candidate is not None and bucket(user_id) < self.share:
            served = self.candidate.served
            if served is not None:
                return "candidate", served
        return "production", self.production.served

    @property
    def shadow(self) -> Served | None:
        """The model that is only asked for the log."""
        return self.candidate.served if self.candidate and self.mode == "shadow" else None
