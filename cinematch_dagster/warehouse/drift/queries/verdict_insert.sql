-- A verdict names the one that it replaces; of two that would replace the same one, one is refused.
INSERT INTO drift_verdicts (
    replaces, week, view, level, reasons, alerting, tests, policy, secondary_thresholds, n, mean, std,
    ks_p_value, baseline_n, baseline_mean, baseline_std, version, input_digest
)
VALUES (
    (SELECT max(id) FROM drift_verdicts WHERE week = %(week)s AND view = %(view)s),
    %(week)s, %(view)s, %(level)s, %(reasons)s, %(alerting)s, %(tests)s, %(policy)s,
    %(secondary_thresholds)s, %(n)s, %(mean)s, %(std)s, %(ks_p_value)s, %(baseline_n)s,
    %(baseline_mean)s, %(baseline_std)s, %(version)s, %(input_digest)s
)
