DELETE FROM ratings_buffer AS b
USING ingestion_metadata AS i
WHERE i.batch_id = b.batch_id AND i.week <= %(through)s
