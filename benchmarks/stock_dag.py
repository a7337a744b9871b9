"""The stock TFX DAG on LocalDagRunner, wired as TFX's own penguin template wires it, timed per component.

    python -m benchmarks.stock_dag --data FOLDER --workspace FOLDER

runs on the CSV files in the data folder and prints one JSON object: `seconds` (component -> seconds, from its
launch to the record of its outputs), `total_seconds` (their sum), `import_seconds`, `peak_rss_mb` (of this
process) and `pushed`.
"""

import argparse
import json
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_started = time.perf_counter()  # what follows is timed, so it cannot stand at the top
# ruff: noqa: E402

import tensorflow_model_analysis as tfma
from tfx import v1 as tfx
from tfx.orchestration.portable import launcher

from benchmarks import stock_model  # noqa: F401 (loaded by name; its imports count too)

_IMPORT_SECONDS = time.perf_counter() - _started


def create_pipeline(data: Path, workspace: Path) -> tfx.dsl.Pipeline:
    """Wires CsvExampleGen to Pusher, with the user code of `benchmarks.stock_model`."""
    example_gen = tfx.components.CsvExampleGen(input_base=str(data))
    statistics_gen = tfx.components.StatisticsGen(examples=example_gen.outputs["examples"])
    schema_gen = tfx.components.SchemaGen(statistics=statistics_gen.outputs["statistics"])
    example_validator = tfx.components.ExampleValidator(
        statistics=statistics_gen.outputs["statistics"], schema=schema_gen.outputs["schema"]
    )
    transform = tfx.components.Transform(
        examples=example_gen.outputs["examples"],
        schema=schema_gen.outputs["schema"],
        preprocessing_fn="benchmarks.stock_model.preprocessing_fn",
    )
    trainer = tfx.components.Trainer(
        run_fn="benchmarks.stock_model.run_fn",
        examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        schema=schema_gen.outputs["schema"],
        train_args=tfx.proto.TrainArgs(splits=["train"]),
        eval_args=tfx.proto.EvalArgs(splits=["eval"]),
    )
    model_resolver = tfx.dsl.Resolver(
        strategy_class=tfx.dsl.experimental.LatestBlessedModelStrategy,
        model=tfx.dsl.Channel(type=tfx.types.standard_artifacts.Model),
        model_blessing=tfx.dsl.Channel(type=tfx.types.standard_artifacts.ModelBlessing),
    ).with_id("latest_blessed_model_resolver")
    evaluator = tfx.components.Evaluator(
        examples=example_gen.outputs["examples"],
        model=trainer.outputs["model"],
        baseline_model=model_resolver.outputs["model"],
        eval_config=_eval_config(),
    )
    pusher = tfx.components.Pusher(
        model=trainer.outputs["model"],
        model_blessing=evaluator.outputs["blessing"],
        push_destination=tfx.proto.PushDestination(
            filesystem=tfx.proto.PushDestination.Filesystem(base_directory=str(workspace / "serving"))
        ),
    )
    return tfx.dsl.Pipeline(
        pipeline_name="stock",
        pipeline_root=str(workspace / "artifacts"),
        components=[
            example_gen,
            statistics_gen,
            schema_gen,
            example_validator,
            transform,
            trainer,
            model_resolver,
            evaluator,
            pusher,
        ],
        metadata_connection_config=tfx.orchestration.metadata.sqlite_metadata_connection_config(
            str(workspace / "metadata.sqlite")
        ),
    )


def _eval_config() -> tfma.EvalConfig:
    threshold = tfma.MetricThreshold(
        value_threshold=tfma.GenericValueThreshold(lower_bound={"value": 0.0}),
        change_threshold=tfma.GenericChangeThreshold(
            direction=tfma.MetricDirection.LOWER_IS_BETTER, absolute={"value": 1e-10}
        ),
    )
    metric = tfma.MetricConfig(
        class_name="MeanDistance", module="benchmarks.stock_model", threshold=threshold
    )
    return tfma.EvalConfig(
        model_specs=[tfma.ModelSpec(signature_name="serving_default")],
        slicing_specs=[tfma.SlicingSpec()],
        metrics_specs=[tfma.MetricsSpec(metrics=[metric])],
    )


@contextmanager
def _timed_launches() -> Iterator[dict[str, float]]:
    """Yields a dict that fills with component -> seconds while a LocalDagRunner works.

    The runner offers no hook, so its launcher is wrapped for the time of the context.
    """
    seconds: dict[str, float] = {}
    launch = launcher.Launcher.launch

    def timed(self: launcher.Launcher) -> object:
        start = time.perf_counter()
        try:
            return launch(self)
        finally:
            seconds[self._pipeline_node.node_info.id] = time.perf_counter() - start

    launcher.Launcher.launch = timed
    try:
        yield seconds
    finally:
        launcher.Launcher.launch = launch


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with the CSV files")
    parser.add_argument("--workspace", type=Path, required=True, help="empty folder for what the run writes")
    arguments = parser.parse_args()

    arguments.workspace.mkdir(parents=True, exist_ok=True)
    pipeline = create_pipeline(arguments.data.resolve(), arguments.workspace.resolve())
    with _timed_launches() as seconds:
        tfx.orchestration.LocalDagRunner().run(pipeline)
    result = {
        "seconds": {name: round(value, 3) for name, value in seconds.items()},
        "total_seconds": round(sum(seconds.values()), 3),
        "import_seconds": round(_IMPORT_SECONDS, 3),
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "pushed": any((arguments.workspace / "serving").glob("*/saved_model.pb")),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
