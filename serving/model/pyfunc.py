"""The served model as MLflow's Python model; `mlflow_entry` is the file that MLflow runs for it.

The exported folder goes along as the artifact `model`, and the code as code, so nothing is pickled.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models.signature import ModelSignature
from mlflow.pyfunc.model import PythonModel, PythonModelContext
from mlflow.types import ColSpec, DataType, Schema

from serving.model.answers.types import Recommendation
from serving.model.recommender import Model

DEFAULT_TOP_K = 10
SIGNATURE = ModelSignature(
    inputs=Schema(
        [ColSpec(DataType.long, "user_id"), ColSpec(DataType.long, "top_k", required=False)]
    ),
    outputs=Schema(
        [
            ColSpec(DataType.long, "user_id"),
            ColSpec(DataType.long, "rank"),
            ColSpec(DataType.long, "movie_id"),
            ColSpec(DataType.string, "title"),
            ColSpec(DataType.string, "genres"),
            ColSpec(DataType.double, "score"),
            ColSpec(DataType.double, "predicted_rating"),
            ColSpec(DataType.string, "strategy"),
            ColSpec(DataType.string, "reason"),
        ]
    ),
)
"""Log the model with it: one inferred from an example would make top_k a must."""


class CineMatch(PythonModel):
    """A DataFrame with user_id and, if wanted, top_k in; a row per recommendation out."""

    def load_context(self, context: PythonModelContext) -> None:
        """Map the exported folder into memory."""
        self.model = Model.load(Path(context.artifacts["model"]))

    def predict(
        self,
        context: PythonModelContext,  # noqa: ARG002
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> pd.DataFrame:
        """Return user_id, rank (from 1) and the plain fields of `Recommendation`, best first."""
        top_k = model_input.get("top_k", pd.Series(DEFAULT_TOP_K, index=model_input.index))
        answers = [
            self.model.recommend(int(user), int(k))
            for user, k in zip(model_input["user_id"], top_k, strict=True)
        ]
        return pd.DataFrame(
            [
                {"user_id": answer.user_id, "rank": rank, **_columns(recommendation)}
                for answer in answers
                for rank, recommendation in enumerate(answer.recommendations, start=1)
            ]
        )


def _columns(recommendation: Recommendation) -> dict[str, Any]:
    """Return the fields that are plain values."""
    fields = asdict(recommendation)
    del fields["because"]  # `reason` names the movie
    return fields
