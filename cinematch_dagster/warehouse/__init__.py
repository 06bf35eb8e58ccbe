"""The warehouse: its tables, and every statement of the platform, a room per station."""
