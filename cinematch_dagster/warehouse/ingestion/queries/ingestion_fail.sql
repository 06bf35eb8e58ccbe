INSERT INTO ingestion_metadata (
    batch_id, ingestion_date, week, sha256, record_count, status, notes
)
VALUES (
    %(batch_id)s, clock_timestamp(), %(week)s, %(sha256)s, 0, 'failed', %(message)s
)
ON CONFLICT (batch_id) DO UPDATE SET
    ingestion_date = excluded.ingestion_date, week = excluded.week, sha256 = excluded.sha256,
    injected = NULL, record_count = 0, status = 'failed', notes = excluded.notes
