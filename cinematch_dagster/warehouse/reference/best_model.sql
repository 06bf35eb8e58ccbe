-- The model that predicted stars best, and whether it was promoted. Runs were scored on the test
-- ratings of their time: across a merge they are not strictly comparable.
SELECT
    m.model_version, m.week, m.training_date, m.rmse, m.mae, m.precision_at_10,
    coalesce(p.promoted, false) AS promoted, p.reason
FROM model_metrics AS m
LEFT JOIN promotions AS p ON p.mlflow_run_id = m.mlflow_run_id AND p.rolled_back_by IS NULL
ORDER BY m.rmse, m.mae, m.id
LIMIT 1
