"""Raw ratings to a baseline, movie features and batch files."""
