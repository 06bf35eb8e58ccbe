INSERT INTO live_batches (batch_id, sha256)
VALUES (%(batch_id)s, %(sha256)s)
ON CONFLICT (batch_id) DO UPDATE SET sha256 = excluded.sha256, written_at = now()
