"""What a model must show before it may be registered."""

from cinematch_dagster.recommenders.checks.model_checks import Check, check_model

__all__ = ["Check", "check_model"]
