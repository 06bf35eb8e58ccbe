"""Requests made up from the OpenAPI document, good ones and bad ones, against the whole API."""

import contextlib
import datetime
import tempfile
from pathlib import Path
from typing import Any

import hypothesis
import schemathesis
from schemathesis.specs.openapi.checks import missing_required_header

from serving.app import create_app
from serving.follow.loader import Served
from serving.follow.registry import Release
from serving.model import Model
from serving.settings import Settings
from tests.serving.support import tiny_model

_folder = tempfile.TemporaryDirectory(prefix="cinematch-fuzz-")
FOLDER = Path(_folder.name)
app = create_app(
    Settings(
        cache_dir=FOLDER,
        reports_dir=FOLDER,
        ratings_file=FOLDER / "ratings.jsonl",
        allowed_hosts=("testserver",),
    )
)
app.router.lifespan_context = lambda _: contextlib.nullcontext()  # nothing is followed here
app.state.loader.served = Served(
    Model.load(tiny_model(FOLDER / "model", "v3")),
    Release("3", 300),
    "registry",
    datetime.datetime(2024, 1, 8, tzinfo=datetime.UTC),
)
# A reload asks MLflow; it has tests with a real one.
schema = schemathesis.openapi.from_asgi("/openapi.json", app).exclude(path="/reload-model")


@schema.parametrize()
@hypothesis.settings(
    max_examples=25, deadline=None, suppress_health_check=list(hypothesis.HealthCheck)
)
def test_every_answer_is_as_documented(case: schemathesis.Case[Any]) -> None:
    # This service has no key, so the header that carries it may be left out.
    case.call_and_validate(excluded_checks=[missing_required_header])
