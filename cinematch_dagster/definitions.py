"""Everything that Dagster runs: what the files of `defs/` define is found, not listed here."""

from pathlib import Path

import dagster as dg

defs = dg.Definitions.merge(
    dg.load_from_defs_folder(path_within_project=Path(__file__).parent),
    dg.Definitions(executor=dg.in_process_executor),  # the work of a run is sequential
)
