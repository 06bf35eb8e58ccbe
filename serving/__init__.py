"""Serving: the format of a served model, its answers, and the REST API around it."""

from serving.arrays import ModelError
from serving.artifact import ModelInfo
from serving.model import Answer, Model, Recommendation

__all__ = ["Answer", "Model", "ModelError", "ModelInfo", "Recommendation"]
