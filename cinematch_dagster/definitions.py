"""Assembles the platform for Dagster; what it consists of stands in `defs/`."""

import dagster as dg

from cinematch_dagster.defs.drift.assets import drift_report
from cinematch_dagster.defs.drift.jobs import drift_monitoring
from cinematch_dagster.defs.drift.performance import weekly_performance
from cinematch_dagster.defs.drift.sensors import follow_up_sensor
from cinematch_dagster.defs.ingestion.assets import ratings_buffer
from cinematch_dagster.defs.ingestion.jobs import (
    buffer_ingestion_weekly,
    data_preparation,
    live_ratings_weekly,
)
from cinematch_dagster.defs.ingestion.live import live_ratings_batch
from cinematch_dagster.defs.ingestion.schedules import live_ratings_every_monday
from cinematch_dagster.defs.ingestion.sensors import landing_folder_sensor
from cinematch_dagster.defs.operations.assets import database_size
from cinematch_dagster.defs.operations.checks import CHECKS
from cinematch_dagster.defs.operations.jobs import database_maintenance, freshness_checks
from cinematch_dagster.defs.operations.schedules import (
    database_maintenance_weekly,
    freshness_hourly,
    retraining_monthly,
)
from cinematch_dagster.defs.operations.sensors import notice_sensor
from cinematch_dagster.defs.preparation.assets import (
    dataset_profile,
    movie_features_asset,
    movies,
    prepare_ratings,
    ratings,
    raw_movielens,
)
from cinematch_dagster.defs.registry.assets import production_registration
from cinematch_dagster.defs.registry.jobs import rollback_production
from cinematch_dagster.defs.resources import resources
from cinematch_dagster.defs.retraining.jobs import trigger_retraining
from cinematch_dagster.defs.retraining.sensors import drift_alert_sensor
from cinematch_dagster.defs.retraining.targets import github_retraining
from cinematch_dagster.defs.serving.assets import recommendation_api
from cinematch_dagster.defs.training.assets import trained_model
from cinematch_dagster.defs.training.jobs import model_training
from cinematch_dagster.defs.training.tuning import model_tuning

defs = dg.Definitions(
    assets=[
        raw_movielens,
        dataset_profile,
        prepare_ratings,
        movie_features_asset,
        ratings,
        movies,
        live_ratings_batch,
        ratings_buffer,
        weekly_performance,
        drift_report,
        trained_model,
        production_registration,
        recommendation_api(),
        database_size,
    ],
    asset_checks=CHECKS,
    jobs=[
        data_preparation,
        buffer_ingestion_weekly,
        live_ratings_weekly,
        drift_monitoring,
        model_training,
        model_tuning,
        trigger_retraining,
        rollback_production,
        github_retraining,
        database_maintenance,
        freshness_checks,
    ],
    schedules=[
        live_ratings_every_monday,
        database_maintenance_weekly,
        freshness_hourly,
        retraining_monthly,
    ],
    sensors=[landing_folder_sensor, drift_alert_sensor, follow_up_sensor, notice_sensor],
    resources=resources(),
    executor=dg.in_process_executor,  # one process a run: the work of a run is sequential
)
