"""Everything a platform on one machine consists of: its databases and its processes."""
