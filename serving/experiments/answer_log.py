"""Answers as lines of JSON, for evaluation later."""

from __future__ import annotations

import datetime
import json
import logging
import random
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from serving.experiments.experiment import Arm
from serving.follow.loader import Served
from serving.live.append import append_line, locked
from serving.model.answers.types import Answer
from serving.model.recommender import Filters
from serving.telemetry.log import REQUEST_ID

MAX_WAITING = 1_000
"""Answers that wait to be written; beyond it they are dropped, and counted."""

logger = logging.getLogger(__name__)


class Question(NamedTuple):
    """What `Model.recommend` was asked, so that a second model is asked the same."""

    user_id: int
    top_k: int
    ratings: Mapping[int, float | None]
    genres: Sequence[str]
    filters: Filters


class AnswerLog:
    """Write a share of the answers to a file, in a thread of its own: no answer waits for a disk.

    Args:
        path: appended to by all workers, a line at a time; None for no log.
        share: of the answers.
    """

    def __init__(self, path: Path | None, share: float) -> None:
        self.path = path
        self.share = share
        self._thread = ThreadPoolExecutor(1, "answer log")
        self._room = threading.BoundedSemaphore(MAX_WAITING)
        self._lost = 0
        self._problem: str | None = None

    def wanted(self) -> bool:
        """Whether the next answer is logged."""
        return self.path is not None and random.random() < self.share

    def add(
        self,
        question: Question,
        answer: Answer,
        arm: Arm,
        served: Served,
        shadow: Served | None,
    ) -> None:
        """Log an answer soon, and what the shadow says to the same question."""
        if not self._room.acquire(blocking=False):
            self._note("the answer log does not keep up", lost=1)
            return
        line = {
            "time": datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds"),
            "request_id": REQUEST_ID.get(),
            "user_id": answer.user_id,
            "arm": arm,
        }
        self._thread.submit(self._write, line, question, answer, served, shadow)

    def close(self) -> None:
        """Write what waits."""
        self._thread.shutdown()

    def _write(
        self,
        line: dict[str, Any],
        question: Question,
        answer: Answer,
        served: Served,
        shadow: Served | None,
    ) -> None:
        assert self.path is not None
        self._room.release()
        try:
            line |= _shown(answer, served)
            if shadow is not None:
                line["shadow"] = _shown(shadow.model.recommend(*question), shadow)
            with locked(self.path) as file:
                append_line(file, json.dumps(line).encode())
        except OSError as error:
            self._note(f"the answer log can't be written ({error.strerror})", lost=1)
        except Exception:
            logger.exception("an answer is not logged")
        else:
            self._note(None)

    def _note(self, problem: str | None, lost: int = 0) -> None:
        """Log a problem when it is new, and when it is over, how many answers it cost."""
        self._lost += lost
        if problem == self._problem:
            return
        self._problem = problem
        if problem:
            logger.warning("%s: %s", problem, self.path)
        else:
            logger.warning("answers are logged again; %d are missing", self._lost)
            self._lost = 0


def _shown(answer: Answer, served: Served) -> dict[str, Any]:
    return {
        "version": served.release.version,
        "strategy": answer.strategy,
        "fallback": answer.fallback,
        "movies": [r.movie_id for r in answer.recommendations],
    }
