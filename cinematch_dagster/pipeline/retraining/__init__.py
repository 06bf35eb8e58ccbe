"""Retraining: whether a model is trained, and who is asked to do it."""
