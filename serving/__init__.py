"""Serving: the format of a served model, its answers, and the REST API around it."""
