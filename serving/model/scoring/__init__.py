"""From what a user has rated to scores: fold-in, order, diversity."""
