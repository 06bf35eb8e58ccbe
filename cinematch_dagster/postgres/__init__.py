"""The embedded Postgres server or another one: addresses, connections, COPY."""
