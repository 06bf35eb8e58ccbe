import datetime
import json
import re
import shlex
from dataclasses import replace
from typing import get_args

import httpx
import numpy as np
import pytest
from fastapi import FastAPI

from cinematch_dagster.settings import ROOT
from serving.app import create_app
from serving.follow.loader import Served
from serving.follow.registry import Release
from serving.http.schemas.recommendations import Recommendations, RecommendRequest
from serving.model import Model
from serving.model.answers.types import Strategy
from serving.settings import Settings
from tests.docs.support import DOCUMENTS, blocks, rows, section
from tests.serving.hand_made import hand_made

GUIDE = ROOT / "docs" / "serving.md"
ROUTES = {
    f"{method.upper()} {path}"
    for path, methods in create_app(Settings()).openapi()["paths"].items()
    for method in methods
}
CURLS = [
    line
    for path in DOCUMENTS
    for block in blocks(path, "bash")
    for line in block.splitlines()
    if line.startswith("curl ")
]


def test_the_guide_lists_every_route() -> None:
    assert {row[0] for row in rows(section(GUIDE, "Routes"))} == ROUTES


def test_the_pages_that_are_named_exist() -> None:
    app = create_app(Settings())
    paths = {getattr(route, "path", "") for route in app.routes}
    assert {"/docs", "/openapi.json", "/reports"} <= paths


@pytest.mark.anyio
@pytest.mark.parametrize("line", CURLS)
async def test_a_curl_line_is_answered(line: str, app: FastAPI) -> None:
    words = shlex.split(line)
    address = next(word for word in words if word.startswith("localhost:8000"))
    method = "POST" if "-d" in words else "GET"
    if "-X" in words:
        method = words[words.index("-X") + 1]
    body = words[words.index("-d") + 1] if "-d" in words else None
    path = address.removeprefix("localhost:8000")
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        answer = await client.request(method, path, content=body, headers=json_headers(words))
    assert answer.status_code == 200, answer.text


def json_headers(words: list[str]) -> dict[str, str]:
    pairs = (words[place + 1].split(": ", 1) for place, word in enumerate(words) if word == "-H")
    return dict(pairs)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    """The API with a model that knows the movies of the examples."""
    folder = tmp_path_factory.mktemp("docs")
    app = create_app(Settings(cache_dir=folder, ratings_file=folder / "ratings.jsonl"))
    artifact = hand_made()
    ids = np.array([1, 20, 296, 1968, 2858], dtype=np.int32)
    model = Model(replace(artifact, arrays=replace(artifact.arrays, movie_ids=ids)))
    now = datetime.datetime.now(datetime.UTC)
    app.state.loader.served = Served(model, Release("2", 200), "registry", now)
    return app


def test_the_answer_has_the_keys_of_an_answer() -> None:
    (answer,) = (json.loads(block) for block in blocks(GUIDE, "json"))
    schema = Recommendations.model_json_schema(mode="serialization")
    assert set(answer) == set(schema["properties"])
    movie = schema["$defs"]["ShownRecommendation"]["properties"]
    assert set(answer["recommendations"][0]) == set(movie)


def test_every_strategy_is_explained() -> None:
    explained = {row[0] for row in rows(section(GUIDE, "Examples"))}
    assert explained == set(get_args(Strategy))


def test_the_limits_are_those_of_the_request() -> None:
    text = " ".join(section(GUIDE, "Examples").split())
    properties = RecommendRequest.model_json_schema()["properties"]
    top_k, ratings, genres = (properties[key] for key in ("top_k", "ratings", "genres"))
    assert re.search(
        rf"`top_k` is {top_k['minimum']} to {top_k['maximum']} \({top_k['default']} if left out\)",
        text,
    )
    assert f"`ratings` at most {ratings['maxItems']:,}" in text
    assert f"`genres` at most {genres['maxItems']}" in text
