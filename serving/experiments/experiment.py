"""Which of two models answers a user, and what a second one would have said.

Modes: `off`; `split`: a share of the users is answered by the candidate, always the same ones;
`shadow`: every request is answered by production, and what the candidate would have said is logged.
"""

from __future__ import annotations

import asyncio
import datetime
import hashlib
import json
import os
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from serving.follow.loader import Loader, Served
from serving.model.answers.types import Answer
from serving.telemetry.log import REQUEST_ID

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


class AnswerLog:
    """Answers as lines of JSON, for evaluation later; a share of them.

    Args:
        path: appended to by all workers, a line at a time; None for no log.
        share: of the answers.
    """

    def __init__(self, path: Path | None, share: float) -> None:
        self.path = path
        self.share = share

    def wanted(self) -> bool:
        """Whether the next answer is logged."""
        return self.path is not None and random.random() < self.share

    async def write(self, answer: Answer, arm: Arm, served: Served, shadow: Served | None) -> None:
        """Log an answer, and what the shadow makes of the same user without new ratings."""
        line = _line(answer, arm, served)
        if shadow is not None:
            most = max(1, len(answer.recommendations))
            other = await asyncio.to_thread(shadow.model.recommend, answer.user_id, most)
            line["shadow"] = _shown(other, shadow)
        await asyncio.to_thread(self._append, line)

    def _append(self, line: dict[str, Any]) -> None:
        assert self.path is not None
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(file, json.dumps(line).encode() + b"\n")
        finally:
            os.close(file)


def _line(answer: Answer, arm: Arm, served: Served) -> dict[str, Any]:
    return {
        "time": datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds"),
        "request_id": REQUEST_ID.get(),
        "user_id": answer.user_id,
        "arm": arm,
        **_shown(answer, served),
    }


def _shown(answer: Answer, served: Served) -> dict[str, Any]:
    return {
        "version": served.release.version,
        "strategy": answer.strategy,
        "fallback": answer.fallback,
        "movies": [r.movie_id for r in answer.recommendations],
    }
