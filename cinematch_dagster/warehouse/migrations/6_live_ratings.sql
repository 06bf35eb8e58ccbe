-- What people told the API: each rating, change and withdrawal is a row, in the order of commit.

CREATE TABLE IF NOT EXISTS live_ratings (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key uuid NOT NULL UNIQUE,  -- given by the API: the same event is stored once
    "userId" integer NOT NULL,
    "movieId" integer NOT NULL,
    rating real  -- null takes the rating back
        CONSTRAINT live_ratings_half_stars
        CHECK (rating BETWEEN 0.5 AND 5.0 AND rating * 2 = floor(rating * 2)),
    given_at timestamptz NOT NULL,
    batch_id text  -- the weekly batch that it was written out with; null until then
);
CREATE INDEX IF NOT EXISTS live_ratings_waiting ON live_ratings (id) WHERE batch_id IS NULL;
CREATE INDEX IF NOT EXISTS live_ratings_batch ON live_ratings (batch_id) WHERE batch_id IS NOT NULL;
