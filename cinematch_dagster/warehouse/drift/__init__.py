"""Counts, alerts and measured performance of the weeks."""
