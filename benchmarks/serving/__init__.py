"""How fast and how large the API is, beside other ways to serve the same model."""
