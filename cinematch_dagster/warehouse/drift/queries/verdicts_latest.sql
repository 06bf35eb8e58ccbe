SELECT
    id, replaces, decided_at, week, view, level, reasons, alerting, tests, policy, secondary_thresholds, n, mean, std,
    ks_p_value, baseline_n, baseline_mean, baseline_std, version, input_digest
FROM latest_drift_verdicts
WHERE week BETWEEN coalesce(%(first)s::date, '-infinity') AND coalesce(%(last)s::date, 'infinity')
ORDER BY week, view
