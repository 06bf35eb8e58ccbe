"""What the tests of the stores share."""

from serving.live import Event


def event(user: int, movie: int, rating: float | None = 4.0) -> Event:
    return Event(user, movie, rating)
