"""How good the models are, and how much faster than Surprise's own loops."""
