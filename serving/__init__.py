"""Serving: the format of a served model, its answers, and the REST API around it."""

from serving.artifact import ModelError, ModelInfo
from serving.model import Answer, Model, Recommendation

__all__ = ["Answer", "Model", "ModelError", "ModelInfo", "Recommendation"]
