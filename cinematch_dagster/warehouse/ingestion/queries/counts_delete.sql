WITH users AS (
    DELETE FROM user_counts WHERE batch_id = %(batch_id)s
),
movies AS (
    DELETE FROM movie_counts WHERE batch_id = %(batch_id)s
),
genres AS (
    DELETE FROM genre_counts WHERE batch_id = %(batch_id)s
)
DELETE FROM rating_histogram WHERE batch_id = %(batch_id)s
