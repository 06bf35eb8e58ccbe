"""Addresses of Postgres databases: taken apart by libpq's own rules, rebuilt for each client."""

import re
from collections.abc import Mapping
from urllib.parse import quote, urlencode

import psycopg
from psycopg.conninfo import conninfo_to_dict

from serving.base.dsn import encrypted

_SCHEMES = ("postgresql://", "postgres://")
_SEARCH_PATH = re.compile(r"\s*(?:-c\s*|--)search_path=(?:\\.|\S)*")
_WAREHOUSE = "cinematch"


class DsnError(ValueError):
    """The address of a database can't be used; the message never repeats the address itself."""


def normalise(address: str) -> str:
    """Return an address as `postgresql://…`, encrypted (`sslmode=require`) unless it is local.

    `serving.base.dsn.encrypted` says what is local.

    Args:
        address: whatever libpq takes: `postgresql://…`, `postgres://…`, or `key=value` pairs.

    Raises:
        DsnError: libpq can't read it, or it names no database.
    """
    options = _options(address.strip())
    if not options.get("dbname"):
        raise DsnError(
            "the database's address names no database (expected postgresql://user@host/database)"
        )
    return encrypted(_uri(options))


def _options(address: str) -> dict[str, str]:
    """Return libpq's options by their names."""
    scheme = address.partition("://")[0] if re.match(r"[\w+.-]+://", address) else None
    if scheme is not None and not address.startswith(_SCHEMES):
        raise DsnError(
            f"the scheme of the database's address is {scheme!r} (expected "
            "postgresql://user@host/database, or libpq's key=value)"
        )
    try:
        found = conninfo_to_dict(address)
        ports = [int(port) for port in str(found.get("port", "")).split(",") if port]
    except (psycopg.ProgrammingError, ValueError):  # a password with a / reads as a port
        raise DsnError(
            "the database's address can't be read (expected postgresql://user@host/database, "
            "what is special in a password written as %40 for @, %2F for / and so on)"
        ) from None
    options = {name: str(value) for name, value in found.items() if value}
    if not ports:
        options.pop("port", None)
    elif len(ports) == 1:  # of all hosts; SQLAlchemy wants to be told of each
        options["port"] = ",".join(str(ports[0]) for _ in options.get("host", "").split(","))
    return options


def _uri(options: Mapping[str, str], scheme: str = "postgresql") -> str:
    """Write options as an address; several hosts, and a socket's folder, stand in its query."""
    rest = dict(options)
    user, password, name = (rest.pop(key, "") for key in ("user", "password", "dbname"))
    credentials = quote(user, safe="") + (f":{quote(password, safe='')}" if password else "")
    host = rest.get("host", "")
    authority = ""
    if host and not host.startswith(("/", "@")) and "," not in host + rest.get("port", ""):
        authority = f"[{host}]" if ":" in host else quote(host, safe="")
        authority += f":{rest['port']}" if rest.get("port") else ""
        rest.pop("host"), rest.pop("port", None)
    at = "@" if credentials else ""
    query = urlencode(rest, quote_via=quote, safe="/:,")
    address = f"{scheme}://{credentials}{at}{authority}/{quote(name, safe='')}"
    return f"{address}?{query}" if query else address


def sqlalchemy_url(dsn: str) -> str:
    """Return the address for SQLAlchemy, driver named: bare `postgresql://` changes its meaning."""
    return _uri(_options(dsn), "postgresql+psycopg2")


def with_database(dsn: str, name: str) -> str:
    """Return the address of another database on the same server.

    A `search_path` stays behind: it names schemas of the one database.
    """
    options = _options(dsn) | {"dbname": name}
    if "options" in options:
        options["options"] = _SEARCH_PATH.sub("", options["options"]).strip()
    return _uri({key: value for key, value in options.items() if value})


def neighbour(dsn: str, name: str) -> str:
    """Return the name of the database that a program beside the warehouse has, such as `mlflow`.

    Warehouses of one server share none: beside `cinematch` it is `mlflow`, beside another one
    `<warehouse>_mlflow`.
    """
    warehouse = _options(dsn)["dbname"]
    return name if warehouse == _WAREHOUSE else f"{warehouse}_{name}"
