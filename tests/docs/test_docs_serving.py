import json
import re
import shlex
from typing import get_args

import pytest
from fastapi.routing import APIRoute

from cinematch_dagster.settings import ROOT
from serving.answers import Strategy
from serving.app import create_app
from serving.routes import router
from serving.schemas import Recommendations, RecommendRequest
from serving.settings import Settings
from tests.docs.docs_support import DOCUMENTS, blocks, rows, section

GUIDE = ROOT / "docs" / "serving.md"
ROUTES = {
    f"{m} {r.path}" for r in router.routes if isinstance(r, APIRoute) for m in r.methods or ()
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


@pytest.mark.parametrize("line", CURLS)
def test_a_curl_line_asks_for_a_route_with_a_valid_body(line: str) -> None:
    words = shlex.split(line)
    address = next(word for word in words if word.startswith("localhost:8000"))
    method = "POST" if "-d" in words else "GET"
    assert f"{method} {address.removeprefix('localhost:8000')}" in ROUTES
    if method == "POST":
        RecommendRequest.model_validate_json(words[words.index("-d") + 1])


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
