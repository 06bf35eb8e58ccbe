-- Every statement can be run again: what exists already stays as it is.

CREATE TABLE IF NOT EXISTS ratings (
    "userId" integer NOT NULL,
    "movieId" integer NOT NULL,
    rating real NOT NULL
        CONSTRAINT ratings_half_stars CHECK (rating BETWEEN 0.5 AND 5.0 AND rating * 2 = floor(rating * 2)),
    "timestamp" bigint NOT NULL,
    data_split text NOT NULL
        CONSTRAINT ratings_split CHECK (data_split IN ('train', 'test')),
    loaded_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS movies (
    "movieId" integer PRIMARY KEY,
    title text NOT NULL,
    genres text NOT NULL,  -- separated by '|'
    pca_features jsonb NOT NULL
        CONSTRAINT movies_ten_features CHECK (jsonb_array_length(pca_features) = 10)
);
-- WHERE to_tsvector('simple', title) @@ to_tsquery('simple', 'toy & sto:*')
CREATE INDEX IF NOT EXISTS movies_title_words ON movies USING gin (to_tsvector('simple', title));
-- WHERE string_to_array(genres, '|') @> ARRAY['Comedy']
CREATE INDEX IF NOT EXISTS movies_genres ON movies USING gin (string_to_array(genres, '|'));

CREATE TABLE IF NOT EXISTS ratings_buffer (
    "userId" integer NOT NULL,
    "movieId" integer NOT NULL,
    rating real NOT NULL
        CONSTRAINT ratings_buffer_half_stars CHECK (rating BETWEEN 0.5 AND 5.0 AND rating * 2 = floor(rating * 2)),
    "timestamp" bigint NOT NULL,
    batch_id text NOT NULL,
    ingested_at timestamptz NOT NULL DEFAULT now(),
    held_out boolean NOT NULL,  -- never trained on; becomes data_split 'test' at the merge
    CONSTRAINT ratings_buffer_once UNIQUE (batch_id, "userId", "movieId")
);

CREATE TABLE IF NOT EXISTS ratings_archive (
    LIKE ratings_buffer INCLUDING CONSTRAINTS,
    archived_at timestamptz NOT NULL DEFAULT now()
);

-- One row per batch, and one for the initial load: batch_id 'baseline', the week before the first.
CREATE TABLE IF NOT EXISTS ingestion_metadata (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    batch_id text NOT NULL UNIQUE,
    ingestion_date timestamptz NOT NULL DEFAULT now(),
    record_count bigint NOT NULL,
    status text NOT NULL
        CONSTRAINT ingestion_status CHECK (status IN ('in_progress', 'completed', 'failed')),
    notes text NOT NULL DEFAULT '',
    week date NOT NULL,
    sha256 text NOT NULL,  -- of the file
    injected text,         -- label of the drift injected into it, if any
    merged_at timestamptz, -- when its rows left the buffer, and
    merged_version text    -- the model version whose promotion moved them
);

-- Counts of each rating, written in the transaction that writes the rows; held-out rows are 'test'.
CREATE TABLE IF NOT EXISTS rating_histogram (
    batch_id text NOT NULL REFERENCES ingestion_metadata (batch_id),
    data_split text NOT NULL
        CONSTRAINT rating_histogram_split CHECK (data_split IN ('train', 'test')),
    rating real NOT NULL,
    n bigint NOT NULL CHECK (n > 0),
    PRIMARY KEY (batch_id, data_split, rating)
);

CREATE TABLE IF NOT EXISTS model_metrics (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    model_version text NOT NULL,  -- of the registry, or 'run:<MLflow run>' until it is registered
    training_date timestamptz NOT NULL DEFAULT now(),
    rmse double precision NOT NULL,
    mae double precision NOT NULL,
    precision_at_10 double precision NOT NULL,
    data_size bigint NOT NULL,
    notes text NOT NULL DEFAULT '',
    week date NOT NULL,
    mlflow_run_id text NOT NULL UNIQUE
);

CREATE TABLE IF NOT EXISTS drift_alerts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert_date timestamptz NOT NULL DEFAULT now(),
    feature_name text NOT NULL,
    drift_score double precision NOT NULL,
    threshold double precision NOT NULL,
    alert_triggered boolean NOT NULL,
    notes text NOT NULL DEFAULT '',
    week date NOT NULL,
    view text NOT NULL CONSTRAINT drift_alerts_view CHECK (view IN ('cumulative', 'per_batch')),
    evidence text NOT NULL  -- sha256 of the two histograms compared
);

CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP;
END $$;

CREATE OR REPLACE TRIGGER drift_alerts_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON drift_alerts
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE IF NOT EXISTS retraining_decisions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    decided_at timestamptz NOT NULL DEFAULT now(),
    decision text NOT NULL
        CONSTRAINT retraining_decision CHECK (decision IN ('trigger_actual', 'trigger_failed', 'no_action')),
    reason text NOT NULL,
    buffer_size bigint NOT NULL,
    drift_score double precision,       -- the highest looked at; null when there was none
    alert_ids bigint[] NOT NULL,        -- the alerts that it used up
    weeks date[] NOT NULL,              -- of the evidence looked at
    target_week date,                   -- the week to train, when there is one
    run_key text NOT NULL UNIQUE
);

CREATE TABLE IF NOT EXISTS promotions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    decided_at timestamptz NOT NULL DEFAULT now(),
    version text NOT NULL,
    from_version text,
    week date NOT NULL,
    promoted boolean NOT NULL,
    reason text NOT NULL,
    mlflow_run_id text NOT NULL UNIQUE,
    dagster_run_id text NOT NULL,
    buffer_policy text
        CONSTRAINT promotions_policy CHECK (buffer_policy IN ('merge', 'clear', 'archive')),
    scores jsonb NOT NULL
);
