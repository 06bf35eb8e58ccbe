UPDATE retraining_decisions
SET decision = 'trigger_failed', reason = reason || '; failed: ' || %(why)s
WHERE run_key = %(run_key)s AND decision = 'trigger_actual'
