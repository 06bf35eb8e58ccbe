"""What is asked of files more than once."""

import hashlib
from pathlib import Path

from cinematch_dagster.batches.parts import part_files


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, or of a folder's parts, as hexadecimal digits.

    Raises:
        BadBatchError: this is neither a file nor a folder of part files.
    """
    if path.is_dir():
        digests = "".join(file_sha256(part) for part in part_files(path))
        return hashlib.sha256(digests.encode()).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
