"""Holds the graph, so that a change to it shows in review."""

import datetime

import dagster as dg
import pytest

from cinematch_dagster.definitions import defs
from cinematch_dagster.defs.partitions import model_weeks, weeks
from cinematch_dagster.defs.preparation.assets import raw_movielens
from cinematch_dagster.defs.retries import transient_faults
from cinematch_dagster.movielens.errors import BadDatasetError, DownloadError
from cinematch_dagster.pipeline.preparation import prepare
from cinematch_dagster.settings import load_settings

GRAPH = {
    # asset: (group, upstream assets, partitions)
    "raw_movielens": ("preparation", set(), None),
    "dataset_profile": ("preparation", {"raw_movielens"}, None),
    "initial_ratings": ("preparation", {"raw_movielens"}, None),
    "buffer_batches": ("preparation", {"raw_movielens"}, None),
    "movie_features": ("preparation", {"raw_movielens"}, None),
    "ratings": ("preparation", {"initial_ratings"}, None),
    "movies": ("preparation", {"movie_features"}, None),
    "live_ratings_batch": ("preparation", set(), None),
    "ratings_buffer": (
        "ingestion",
        {"buffer_batches", "live_ratings_batch", "ratings", "movies"},
        weeks,
    ),
    "weekly_performance": ("drift", {"ratings_buffer"}, weeks),
    "drift_report": ("drift", {"ratings_buffer", "weekly_performance", "drift_report"}, weeks),
    "trained_model": ("training", {"ratings", "movies", "drift_report"}, model_weeks),
    "production_registration": ("registry", {"trained_model"}, model_weeks),
    "recommendation_api": ("serving", {"production_registration"}, None),
    "database_size": ("operations", set(), None),
    "platform_pages": ("operations", {"drift_report", "production_registration"}, None),
}
EXTERNAL = {"recommendation_api", "platform_pages"}
graph = defs.resolve_asset_graph()


def node(name: str) -> dg.AssetSpec:
    return next(s for s in defs.resolve_all_asset_specs() if s.key == dg.AssetKey(name))


def test_there_is_no_other_asset() -> None:
    assert {key.to_user_string() for key in graph.get_all_asset_keys()} == set(GRAPH)


@pytest.mark.parametrize("name", GRAPH)
def test_group_upstream_and_partitions(name: str) -> None:
    group, upstream, partitions = GRAPH[name]
    spec = node(name)
    assert spec.group_name == group
    assert {dep.asset_key.to_user_string() for dep in spec.deps} == upstream
    assert spec.partitions_def == partitions


@pytest.mark.parametrize("name", GRAPH)
def test_every_asset_can_be_read_in_the_ui(name: str) -> None:
    spec = node(name)
    assert spec.description
    assert spec.owners
    assert spec.kinds


@pytest.mark.parametrize("name", ["ratings_buffer", "weekly_performance", "drift_report"])
def test_a_range_of_weeks_is_one_run(name: str) -> None:
    assert graph.get(dg.AssetKey(name)).backfill_policy == dg.BackfillPolicy.single_run()


@pytest.mark.parametrize("name", ["trained_model", "production_registration"])
def test_models_are_trained_and_registered_one_at_a_time(name: str) -> None:
    assert graph.get(dg.AssetKey(name)).pools == {"retrain"}


@pytest.mark.parametrize("name", sorted(GRAPH.keys() - EXTERNAL))
def test_every_step_is_tried_again_with_growing_pauses(name: str) -> None:
    assert graph.get(dg.AssetKey(name)).assets_def.op.retry_policy == transient_faults
    assert transient_faults.backoff == dg.Backoff.EXPONENTIAL


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (DownloadError("files.example: timed out"), DownloadError),
        (BadDatasetError("ratings.csv: no column rating"), dg.Failure),
    ],
)
def test_a_download_is_tried_again_and_a_bad_dataset_is_not(
    error: Exception, raised: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise error

    monkeypatch.setattr(prepare, "fetch_dataset", fail)
    with pytest.raises(raised) as caught:
        raw_movielens(load_settings())
    assert getattr(caught.value, "allow_retries", True) is (raised is DownloadError)


def test_a_rollback_whose_worker_died_is_left_to_a_person() -> None:
    assert defs.resolve_job_def("rollback_production").tags["dagster/max_retries"] == "0"


def test_each_definition_is_found_in_one_file_only() -> None:
    for found in (defs.assets, defs.asset_checks, defs.jobs, defs.schedules, defs.sensors):
        # Dagster itself lists an asset that is only a specification twice.
        ids = [id(one) for one in found or () if not isinstance(one, dg.AssetSpec)]
        assert ids
        assert len(ids) == len(set(ids))


def test_jobs_have_the_names_that_people_know() -> None:
    selections = {
        job.name: {key.to_user_string() for key in job.asset_layer.selected_asset_keys}
        for job in defs.resolve_all_job_defs()
        if not job.name.startswith("__")
    }
    assert selections == {
        "data_preparation": {name for name, row in GRAPH.items() if row[0] == "preparation"}
        - {"live_ratings_batch"},
        "buffer_ingestion_weekly": {"ratings_buffer", "weekly_performance", "drift_report"},
        "live_ratings_weekly": {"live_ratings_batch"},
        "drift_monitoring": {"weekly_performance", "drift_report"},
        "model_training": {"trained_model"},
        "model_tuning": set(),
        "trigger_retraining": {"trained_model", "production_registration"},
        "rollback_production": set(),
        "github_retraining": set(),
        "database_maintenance": {"database_size"},
        "freshness_checks": set(),
    }


def test_weeks_are_mondays_and_the_model_has_one_more() -> None:
    mondays = weeks.get_partition_keys(current_time=datetime.datetime(2030, 1, 1))
    assert mondays[:2] == ["2024-01-01", "2024-01-08"]
    assert len(mondays) == 12
    assert model_weeks.get_partition_keys(current_time=datetime.datetime(2030, 1, 1)) == [
        "2023-12-25",
        *mondays,
    ]
