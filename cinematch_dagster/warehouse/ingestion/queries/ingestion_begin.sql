INSERT INTO ingestion_metadata (
    batch_id, ingestion_date, week, sha256, injected, record_count, status
)
VALUES (
    %(batch_id)s, clock_timestamp(), %(week)s, %(sha256)s, %(injected)s, 0, 'in_progress'
)
ON CONFLICT (batch_id) DO UPDATE SET
    ingestion_date = excluded.ingestion_date, week = excluded.week, sha256 = excluded.sha256,
    injected = excluded.injected, record_count = 0, status = 'in_progress', notes = ''
