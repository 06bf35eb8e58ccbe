"""The API answers with what was promoted last; Dagster shows it, and does not run it."""
