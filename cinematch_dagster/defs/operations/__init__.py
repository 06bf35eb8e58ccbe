"""Keeping the platform in order: the database's maintenance."""
