"""Measurements behind the documents in `docs/`; each program writes its document itself."""
