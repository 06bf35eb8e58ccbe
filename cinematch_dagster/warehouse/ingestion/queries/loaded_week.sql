SELECT
    string_agg(batch_id, ' ' ORDER BY batch_id) AS batch_id, week,
    string_agg(sha256, ' ' ORDER BY batch_id) AS sha256, 'completed' AS status,
    sum(record_count)::bigint AS record_count,
    string_agg(injected, ', ' ORDER BY batch_id) AS injected,
    max(merged_at) AS merged_at, max(merged_version) AS merged_version
FROM ingestion_metadata
WHERE week = %(week)s AND status = 'completed' AND batch_id <> 'baseline'
GROUP BY week
