"""A Postgres server of our own or anybody's: addresses, connections, COPY."""
