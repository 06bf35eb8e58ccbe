WITH in_buffer AS (
    SELECT batch_id, week, record_count AS rows
    FROM ingestion_metadata
    WHERE batch_id <> 'baseline' AND status = 'completed' AND merged_at IS NULL
),
history AS (
    SELECT
        batch_id, week, status, record_count, ingestion_date, notes, injected,
        merged_at, merged_version
    FROM ingestion_metadata
)
SELECT json_build_object(
    'total', (SELECT coalesce(sum(rows), 0) FROM in_buffer),
    'batches', (SELECT coalesce(json_agg(b ORDER BY b.week, b.batch_id), '[]') FROM in_buffer AS b),
    'history', (
        SELECT coalesce(json_agg(h ORDER BY h.ingestion_date DESC, h.week DESC), '[]')
        FROM history AS h
    )
)
