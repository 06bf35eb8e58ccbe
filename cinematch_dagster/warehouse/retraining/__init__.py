"""Open alerts and the decisions made on them."""
