"""Station 4: the challenger meets the champion, and the better one goes to production."""
