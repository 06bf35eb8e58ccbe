"""The story of the weeks, told by the real platform, and what was measured on the way."""
