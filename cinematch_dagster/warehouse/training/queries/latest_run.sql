SELECT (
    SELECT mlflow_run_id FROM model_metrics WHERE week = %(week)s ORDER BY id DESC LIMIT 1
)
