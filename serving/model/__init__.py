"""What a served model is and answers; a version in MLflow carries it and `serving.base`."""

from serving.model.answers.types import Answer, Recommendation
from serving.model.arrays import ModelError
from serving.model.artifact import ModelInfo
from serving.model.recommender import Model

__all__ = ["Answer", "Model", "ModelError", "ModelInfo", "Recommendation"]
