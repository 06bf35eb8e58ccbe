"""Ratings and movies come in, prepared once and then week by week."""
