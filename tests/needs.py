"""Skipping what can't be tried here: the reason names what is needed, and how to have it."""

import os
from typing import NoReturn

import pytest


def missing(program: str, remedy: str) -> NoReturn:
    """Skip a test that needs a program; in CI, where `make programs` installs it, the test fails.

    Args:
        program: what is missing.
        remedy: how to have it, such as a Debian package.
    """
    reason = f"needs {program}: {remedy}"
    if os.environ.get("CI", "") not in ("", "0", "false"):
        pytest.fail(f"{reason} (in CI nothing that can be installed is skipped)", pytrace=False)
    pytest.skip(reason)
