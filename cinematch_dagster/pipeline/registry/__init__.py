"""Registry: the challenger meets the champion; what is in production, and the way back."""
