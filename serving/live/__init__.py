"""Ratings given now: stored so that nothing is lost, and kept in memory so that they count."""

from serving.live.events import Event, RatingStore, StoredEvent, StoreError
from serving.live.live_ratings import LiveRatings

__all__ = ["Event", "LiveRatings", "RatingStore", "StoreError", "StoredEvent"]
