"""The modules that each node executes: where hashing its code begins.

TFX reaches some of them by name only (`run_fn`, `tuner_fn`, `preprocessing_fn`, the probe's script), so no import
leads there from the DAG.
"""

from __future__ import annotations

from pipeline.code_version import code_version

ENTRY_POINTS: dict[str, tuple[str, ...]] = {
    "ExampleGen": ("components.example_gen.executor",),
    "DataGate": ("components.gate.executor",),
    "Transform": ("transforms.preprocessing",),
    "ServedModel": ("components.served_model.executor",),
    "DriftCheck": ("components.drift.executor",),
    "FeatureSelection": ("components.selection.executor",),
    "Tuner": ("components.tuner.executor", "components.tuner.tuner_fn"),
    "Trainer": ("components.trainer.run_fn",),
    "ServingCheck": ("components.serving_check.executor", "components.serving_check.probe"),
    "Evaluator": ("components.evaluator.executor",),
    "Pusher": ("components.pusher.executor",),
    "Assignments": ("components.assignments.executor",),
    "Migration": ("components.migration.executor",),
    "Report": ("components.report.executor",),
}


def node_version(node: str) -> str:
    """The hash of the code that a node executes, for TFX's cache key."""
    return code_version(*ENTRY_POINTS[node])


def project_version() -> str:
    """The hash of all the code that a run depends on."""
    return code_version("pipeline.dag", *(module for modules in ENTRY_POINTS.values() for module in modules))
