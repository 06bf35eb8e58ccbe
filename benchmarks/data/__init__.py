"""How fast ratings are prepared, loaded and read, and what the database takes."""
