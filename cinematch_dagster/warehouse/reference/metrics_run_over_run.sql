-- How each training run's model compares with the run before it: lower errors and higher
-- precision are better.
SELECT
    training_date, week, model_version, data_size, rmse, mae, precision_at_10,
    rmse - lag(rmse) OVER runs AS rmse_change,
    mae - lag(mae) OVER runs AS mae_change,
    precision_at_10 - lag(precision_at_10) OVER runs AS precision_change
FROM model_metrics
WINDOW runs AS (ORDER BY id)
ORDER BY id
