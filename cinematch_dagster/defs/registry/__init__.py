"""The challenger meets the champion, and the better one goes to production."""
