INSERT INTO movies ("movieId", title, genres, pca_features)
SELECT "movieId", title, genres, pca_features
FROM jsonb_to_recordset(%(movies)s)
    AS movie("movieId" integer, title text, genres text, pca_features jsonb)
ON CONFLICT ("movieId") DO UPDATE SET
    title = excluded.title, genres = excluded.genres, pca_features = excluded.pca_features
