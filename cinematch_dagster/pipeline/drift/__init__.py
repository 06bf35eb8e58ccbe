"""Drift: each week compared with what the model was trained on, and how well it was predicted."""
