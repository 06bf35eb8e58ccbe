"""What each station does, without Dagster: the pure packages joined to Postgres and MLflow.

Dagster's assets and the command line are both thin layers over these functions.
"""
