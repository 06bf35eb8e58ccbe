-- What was decided about each week, as it was decided: everything that shows a verdict reads it here.

CREATE TABLE IF NOT EXISTS drift_verdicts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    replaces bigint REFERENCES drift_verdicts (id),  -- the verdict of this week and view before it
    decided_at timestamptz DEFAULT now(),
    week date NOT NULL,
    view text NOT NULL
        CONSTRAINT drift_verdicts_view CHECK (view IN ('cumulative', 'per_batch', 'performance')),
    level text CONSTRAINT drift_verdicts_level CHECK (level IN (
        'EMPTY BUFFER - NOTHING TO COMPARE',
        'INSUFFICIENT DATA - CONTINUE MONITORING',
        'NO DRIFT - CONTINUE MONITORING',
        'EARLY DRIFT SIGNALS - CONTINUE MONITORING',
        'DRIFT DETECTED - RETRAINING RECOMMENDED'
    )),
    reasons text[],
    alerting boolean,            -- whether this view could alert
    tests jsonb,                 -- feature_name, score, change (with its sign), threshold, triggered
    policy jsonb,                -- every setting of `drift` on that day
    secondary_thresholds jsonb,  -- from where the secondary metrics are marked as high
    n bigint,
    mean double precision,
    std double precision,
    ks_p_value double precision,
    baseline_n bigint,
    baseline_mean double precision,
    baseline_std double precision,
    version text,                -- performance: of the model that predicted the week
    input_digest text,           -- sha256 of what was compared
    -- One first verdict of a week and view, and each is replaced once.
    CONSTRAINT drift_verdicts_chain UNIQUE NULLS NOT DISTINCT (week, view, replaces)
);

CREATE OR REPLACE TRIGGER drift_verdicts_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON drift_verdicts
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The verdict that holds, one row per week and view.
CREATE OR REPLACE VIEW latest_drift_verdicts AS
SELECT DISTINCT ON (week, view) *
FROM drift_verdicts
ORDER BY week, view, id DESC;

-- Checks that were made before there was this table: the tests are in the alerts, level and size in
-- their notes. Null is what nobody can know any more. The sign of a change is known of those that
-- have none and of errors that are worse; reasons are those of the tests that alerted.
WITH checks AS (
    SELECT
        min(id) AS first_id, week, alert_date,
        CASE WHEN feature_name LIKE 'performance\_%' THEN 'performance' ELSE view END AS view,
        min(notes) AS notes, min(evidence) AS evidence,
        jsonb_agg(
            jsonb_build_object(
                'feature_name', feature_name,
                'score', drift_score,
                'change', CASE
                    WHEN feature_name = 'rating_distribution_ks'
                        OR feature_name LIKE 'performance\_%' AND drift_score > 0
                    THEN drift_score
                END,
                'threshold', threshold,
                'triggered', alert_triggered
            )
            ORDER BY id
        ) AS tests,
        array_agg(
            CASE feature_name
                WHEN 'rating_distribution_ks' THEN 'Distribution shift'
                WHEN 'rating_mean' THEN 'Mean change'
                WHEN 'rating_std' THEN 'Variance change'
            END
            ORDER BY id
        ) FILTER (WHERE alert_triggered AND feature_name LIKE 'rating\_%') AS alerted
    FROM drift_alerts_history
    GROUP BY week, alert_date, 4
),
told AS (
    SELECT *, split_part(notes, '; ', 1) AS said FROM checks
),
numbered AS (
    SELECT nextval(pg_get_serial_sequence('drift_verdicts', 'id')) AS id, t.*
    FROM (SELECT * FROM told ORDER BY first_id) AS t
    WHERE NOT EXISTS (
        SELECT FROM drift_verdicts AS v WHERE v.week = t.week AND v.view = t.view
    )
)
INSERT INTO drift_verdicts (
    id, replaces, decided_at, week, view, level, reasons, alerting, tests, n, version, input_digest
)
OVERRIDING SYSTEM VALUE
SELECT
    id, lag(id) OVER (PARTITION BY week, view ORDER BY first_id), alert_date, week, view,
    CASE WHEN said LIKE '%MONITORING' OR said LIKE '%RECOMMENDED' THEN said END,
    CASE WHEN said LIKE 'NO DRIFT%' THEN '{}' ELSE alerted END,
    true, tests, substring(notes FROM '; (\d+) ratings')::bigint,
    substring(notes FROM '; version (\S+):'), evidence
FROM numbered
ORDER BY first_id;

-- A view of which no test was kept (it could not alert, or had too few ratings): nothing is known but
-- its size.
INSERT INTO drift_verdicts (week, view, decided_at, n)
SELECT
    i.week, views.view, NULL,
    (
        SELECT sum(h.n)
        FROM compared_loads(i.week) AS l
        JOIN rating_histogram AS h USING (batch_id, data_split)
        WHERE l.side = views.view
    )
FROM ingestion_metadata AS i, (VALUES ('cumulative'), ('per_batch')) AS views (view)
WHERE i.batch_id <> 'baseline' AND i.status = 'completed'
    AND NOT EXISTS (
        SELECT FROM drift_verdicts AS v WHERE v.week = i.week AND v.view = views.view
    )
ORDER BY i.week, views.view;
