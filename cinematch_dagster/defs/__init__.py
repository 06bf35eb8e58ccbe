"""The thin Dagster layer: a folder per station of the data's way, the same small files in each."""
