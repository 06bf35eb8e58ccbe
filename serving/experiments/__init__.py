"""Two versions side by side: who is answered by which, and what came of it."""
