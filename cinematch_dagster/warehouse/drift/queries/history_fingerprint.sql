-- Changes whenever a report may have to be computed again, or a decision's turn may have come.
SELECT md5(concat_ws(
    ' ',
    (
        SELECT string_agg(concat_ws(' ', batch_id, sha256, status, merged_version), ',' ORDER BY batch_id)
        FROM ingestion_metadata
    ),
    (SELECT max(id) FROM promotions),
    (SELECT concat_ws(' ', max(id), count(*) FILTER (WHERE decision = 'trigger_failed')) FROM retraining_decisions)
))
