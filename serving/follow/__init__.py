"""Following the registry: what is in production is fetched, checked, and swapped in."""
