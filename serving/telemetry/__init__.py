"""What the API tells of itself: the request log and Prometheus metrics."""
