"""Ingestion: a week's batch file into the buffer, live ratings into a batch file."""
