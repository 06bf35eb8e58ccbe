"""How many examples a test tries."""

import hypothesis

QUICK = 40
"""What hypothesis tries in `make test`."""


def more(few: int) -> int:
    """`few` in `make test`; in the other targets more, as hypothesis' profile says."""
    profile = hypothesis.settings.get_profile(hypothesis.settings.get_current_profile_name())
    return few * profile.max_examples // QUICK
