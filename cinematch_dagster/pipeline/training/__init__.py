"""Training: data to a challenger that is evaluated and logged to MLflow."""
