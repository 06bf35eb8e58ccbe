"""HTTP: routes, schemas, limits and errors; no model is computed here."""
