from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from serving.app import create_app
from serving.follow.loader import Served
from serving.settings import Settings

pytestmark = pytest.mark.anyio


def figures(text: str) -> dict[tuple[str, str], float]:
    """From a sample's name and its labels, in their order, to its value."""
    return {
        (sample.name, ",".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_requests_are_counted_by_the_templates_of_their_routes(
    tmp_path: Path, served: Served
) -> None:
    settings = Settings(cache_dir=tmp_path, ratings_file=tmp_path / "ratings.jsonl")
    app = create_app(settings)
    app.state.loader.served = served
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        before = figures((await client.get("/metrics")).text)
        for path in ("/movies/10", "/movies/20", "/movies/999", "/nowhere/1", "/nowhere/2"):
            await client.get(path)
        for user in (1, 77, 78):
            await client.post("/recommend", json={"user_id": user})
        after = figures((await client.get("/metrics")).text)

    def grown(name: str, labels: str) -> float:
        return after[name, labels] - before.get((name, labels), 0)

    assert grown("cinematch_requests_total", "GET,/movies/{movie_id},200") == 2
    assert grown("cinematch_requests_total", "GET,/movies/{movie_id},404") == 1
    assert grown("cinematch_requests_total", "GET,other,404") == 2
    assert grown("cinematch_request_seconds_count", "/recommend") == 3
    answered = "cinematch_recommendations_total"
    assert grown(answered, "production,false,known_user") == 1
    assert grown(answered, "production,true,popular") == 2
    assert not any("nowhere" in labels for _, labels in after)
