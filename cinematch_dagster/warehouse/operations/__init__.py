"""Maintenance, notices, and what the dashboard shows."""
