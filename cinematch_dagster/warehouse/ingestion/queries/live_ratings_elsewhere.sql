CREATE TEMPORARY TABLE live_ratings_elsewhere (
    place bigint,
    key uuid,
    "userId" integer,
    "movieId" integer,
    rating real,
    given_at timestamptz
) ON COMMIT DROP
