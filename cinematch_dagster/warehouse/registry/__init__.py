"""Promotions, rollbacks, and what was in production when."""
