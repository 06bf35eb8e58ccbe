"""Addresses of Postgres databases: `postgresql://user:password@host:port/database?option=value`."""

from urllib.parse import quote

import psycopg

from serving.base.dsn import encrypted

_SCHEME = "postgresql://"


class DsnError(ValueError):
    """The address of a database can't be used; the message never repeats the address itself."""


def normalise(url: str) -> str:
    """Return an address that libpq accepts, encrypted (`sslmode=require`) unless it is local.

    `serving.base.dsn.encrypted` says what is local.

    Raises:
        DsnError: when it does not begin with `postgresql://` or libpq can't read it.
    """
    url = url.strip()
    if not url.startswith(_SCHEME):
        scheme = url.partition("://")[0] if "://" in url else ""
        raise DsnError(
            "the database's address must begin with 'postgresql://', "
            f"but its scheme is {scheme!r} (expected postgresql://user@host/database)"
        )
    try:
        return encrypted(url)
    except psycopg.ProgrammingError:
        raise DsnError(
            "the database's address can't be read (expected postgresql://user@host/database)"
        ) from None


def sqlalchemy_url(dsn: str) -> str:
    """Return the address for SQLAlchemy, driver named: bare `postgresql://` changes its meaning."""
    return f"postgresql+psycopg2://{dsn.removeprefix(_SCHEME)}"


def with_database(dsn: str, name: str) -> str:
    """Return the address of another database on the same server."""
    address, question_mark, options = dsn.removeprefix(_SCHEME).partition("?")
    authority = address.partition("/")[0]
    return f"{_SCHEME}{authority}/{quote(name, safe='')}{question_mark}{options}"
