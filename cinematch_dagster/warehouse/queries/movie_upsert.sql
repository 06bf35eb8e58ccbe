INSERT INTO movies ("movieId", title, genres, pca_features)
VALUES (%s, %s, %s, %s)
ON CONFLICT ("movieId") DO UPDATE SET
    title = excluded.title, genres = excluded.genres, pca_features = excluded.pca_features
