"""Addresses of Postgres: encrypted, unless the server is on this machine."""

from __future__ import annotations

from psycopg.conninfo import conninfo_to_dict, make_conninfo

_LOCAL_HOSTS = frozenset({"", "localhost", "127.0.0.1", "::1"})
_SCHEMES = ("postgresql://", "postgres://")


def encrypted(dsn: str) -> str:
    """Return an address with `sslmode=require`, unless it is local or says an `sslmode` itself.

    Local is a unix socket, localhost or no host, in `host` and in `hostaddr`. A URL stays a URL,
    whose other parts stay as they are.

    Raises:
        psycopg.ProgrammingError: libpq can't read the address; the message may repeat it.
    """
    options = conninfo_to_dict(dsn)
    hosts = (str(options.get(option, "")) for option in ("host", "hostaddr"))
    if "sslmode" in options or all(map(_is_local, hosts)):
        return dsn
    if dsn.startswith(_SCHEMES):
        return f"{dsn}{'&' if '?' in dsn else '?'}sslmode=require"
    return make_conninfo(dsn, sslmode="require")


def _is_local(hosts: str) -> bool:
    return all(host in _LOCAL_HOSTS or host.startswith("/") for host in hosts.split(","))
