SELECT
    decided_at,
    CASE decision
        WHEN 'trigger_actual' THEN 'Retraining requested'
        WHEN 'trigger_failed' THEN 'Retraining could not be requested'
        ELSE 'No retraining'
    END,
    reason
FROM retraining_decisions
WHERE %(week)s = ANY (weeks)
UNION ALL
SELECT
    decided_at,
    CASE
        WHEN rolled_back_by IS NOT NULL THEN 'Production taken back to version ' || version
        WHEN promoted THEN 'Version ' || version || ' promoted'
        ELSE 'Version ' || version || ' kept out'
    END,
    reason
FROM promotions
WHERE week = %(week)s
ORDER BY 1
