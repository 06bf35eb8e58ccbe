"""What the platform has written down for the API to show."""
