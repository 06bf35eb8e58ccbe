"""Recommenders: two heads, popularity, a sanity floor, their scores and the promotion gate."""
