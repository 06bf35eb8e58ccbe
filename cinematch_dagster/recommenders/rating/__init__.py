"""Heads that predict stars, one algorithm a file."""
