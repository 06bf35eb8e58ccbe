"""The demo, week by week, on a real platform, and what was measured on the way."""
