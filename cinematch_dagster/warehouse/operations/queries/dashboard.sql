-- What the dashboard shows, as one JSON document: each table with its newest rows first.
WITH batches AS (
    SELECT
        week, batch_id, status, record_count AS ratings, injected, ingestion_date AS loaded_at,
        merged_at, merged_version, notes
    FROM ingestion_metadata
    ORDER BY week DESC, batch_id
    LIMIT %(most)s
),
performance AS (
    SELECT
        week, version, (scores -> 'overall' ->> 'rmse')::float AS rmse,
        (scores -> 'overall' ->> 'mae')::float AS mae,
        (scores -> 'own' ->> 'rmse')::float AS own_rmse, (scores -> 'own' ->> 'mae')::float AS own_mae,
        computed_at
    FROM weekly_performance
    ORDER BY week DESC
    LIMIT %(most)s
),
drift AS (
    SELECT
        v.week, CASE v.view WHEN 'performance' THEN 'per_batch' ELSE v.view END AS view,
        t.feature_name AS test, t.score, t.threshold, t.triggered AS alert,
        coalesce(v.level, 'VERDICT UNKNOWN - DECIDED BEFORE VERDICTS WERE KEPT') AS verdict
    FROM latest_drift_verdicts AS v,
        ROWS FROM (
            jsonb_to_recordset(v.tests) AS (
                feature_name text, score double precision, threshold double precision,
                triggered boolean
            )
        ) WITH ORDINALITY AS t (feature_name, score, threshold, triggered, place)
    ORDER BY v.week DESC, v.view, t.place
    LIMIT %(most)s
),
decisions AS (
    SELECT decided_at, decision, target_week, buffer_size, drift_score, reason
    FROM retraining_decisions
    ORDER BY id DESC
    LIMIT %(most)s
),
promotions AS (
    SELECT decided_at, week, version, from_version, promoted, reason
    FROM promotions
    ORDER BY id DESC
    LIMIT %(most)s
),
models AS (
    SELECT
        model_version AS version, week, training_date AS trained_at, data_size AS ratings, rmse, mae,
        precision_at_10
    FROM model_metrics
    ORDER BY id DESC
    LIMIT %(most)s
),
stars AS (
    SELECT rating AS stars, sum(n) AS ratings FROM rating_histogram GROUP BY rating ORDER BY rating
)
SELECT json_build_object(
    'written_at', now(),
    'overview', json_build_object(
        'ratings', (SELECT coalesce(sum(n), 0) FROM rating_histogram),
        'waiting', (
            SELECT coalesce(sum(record_count), 0) FROM ingestion_metadata
            WHERE status = 'completed' AND merged_at IS NULL AND batch_id <> 'baseline'
        ),
        'users', (SELECT count(DISTINCT "userId") FROM user_counts),
        'movies', (SELECT count(*) FROM movies),
        'weeks', (
            SELECT count(DISTINCT week) FROM ingestion_metadata
            WHERE status = 'completed' AND batch_id <> 'baseline'
        )
    ),
    'tables', json_build_object(
        'batches', (SELECT coalesce(json_agg(b), '[]') FROM batches AS b),
        'drift', (SELECT coalesce(json_agg(d), '[]') FROM drift AS d),
        'performance', (SELECT coalesce(json_agg(p), '[]') FROM performance AS p),
        'decisions', (SELECT coalesce(json_agg(d), '[]') FROM decisions AS d),
        'promotions', (SELECT coalesce(json_agg(p), '[]') FROM promotions AS p),
        'models', (SELECT coalesce(json_agg(m), '[]') FROM models AS m),
        'stars', (SELECT coalesce(json_agg(s), '[]') FROM stars AS s)
    )
)
