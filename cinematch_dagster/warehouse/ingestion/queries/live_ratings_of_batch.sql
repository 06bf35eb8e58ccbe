SELECT "userId", "movieId", rating, "timestamp"
FROM (
    SELECT DISTINCT ON ("userId", "movieId")
        "userId", "movieId", rating, floor(extract(EPOCH FROM given_at))::bigint AS "timestamp"
    FROM live_ratings
    WHERE batch_id = %(batch_id)s
    ORDER BY "userId", "movieId", given_at DESC, id DESC
) AS latest
WHERE rating IS NOT NULL
ORDER BY "timestamp", "userId", "movieId"
