-- The newest decision, when it was to wait for a retraining that was going on.
SELECT target_week
FROM (SELECT decision, target_week FROM retraining_decisions ORDER BY id DESC LIMIT 1) AS newest
WHERE decision = 'no_action' AND target_week IS NOT NULL
