INSERT INTO weekly_performance (week, version, scores)
VALUES (%(week)s, %(version)s, %(scores)s)
ON CONFLICT (week) DO UPDATE
SET version = excluded.version, scores = excluded.scores, computed_at = excluded.computed_at
