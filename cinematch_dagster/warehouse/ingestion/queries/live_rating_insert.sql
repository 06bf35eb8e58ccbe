INSERT INTO live_ratings (key, "userId", "movieId", rating, given_at)
VALUES (%(key)s, %(user_id)s, %(movie_id)s, %(rating)s, %(given_at)s)
ON CONFLICT (key) DO NOTHING
