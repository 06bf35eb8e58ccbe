-- How each week was predicted by the version that it found, as computed last.

CREATE TABLE IF NOT EXISTS weekly_performance (
    week date PRIMARY KEY,
    version text NOT NULL,
    scores jsonb NOT NULL,  -- the version's own test errors, and the week's scores by slice
    computed_at timestamptz NOT NULL DEFAULT now()
);
