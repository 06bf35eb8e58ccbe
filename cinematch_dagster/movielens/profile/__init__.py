"""What a dataset looks like, as numbers and as a page."""
