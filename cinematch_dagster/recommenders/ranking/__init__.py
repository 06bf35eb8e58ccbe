"""Heads that order movies, one algorithm a file."""
