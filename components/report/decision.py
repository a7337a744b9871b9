"""What was decided about a model, in words."""

from __future__ import annotations

import dataclasses
from typing import Literal

from components.evaluator.verdict import Verdict

Status = Literal["pushed", "kept", "not_blessed", "failed_serving_check", "failed"]


@dataclasses.dataclass(frozen=True)
class Decision:
    """The outcome of a run.

    Attributes:
      status: as `segments run --json` says it; `failed` where a model that passed everything was not pushed.
      headline: the outcome in a few words.
      consequence: what that means for those who use the segments.
      reasons: why a model was refused, one line each; empty when it was pushed.
    """

    status: Status
    headline: str
    consequence: str
    reasons: list[str]


def decide(
    *,
    pushed_version: str | None,
    served_before: str | None,
    verdict: Verdict,
    blessed: bool,
    infra_blessed: bool,
    infra_problems: list[str],
    kept: bool = False,
) -> Decision:
    """Puts the outcome of a run into words.

    Args:
      pushed_version: the version the model is served as; None when it was not pushed.
      served_before: the version that was served when the run began; None for none.
      verdict: the evaluation.
      blessed: the Evaluator's blessing.
      infra_blessed: the serving check's blessing.
      infra_problems: what the serving check found wrong.
      kept: whether the model is the served one, because nothing has drifted.
    """
    unmet = [item.sentence for item in verdict.thresholds if not item.held]
    if kept:
        consequence = (
            "Nothing has drifted since it was made: it assigns today's customers, and no other was trained."
        )
        if unmet:
            consequence += " A new model would not be served with these figures:"
        return Decision("kept", f"Still serving: version {served_before}", consequence, unmet)
    if pushed_version is not None:
        replaced = served_before is not None and served_before != pushed_version
        consequence = (
            f"It replaces version {served_before}." if replaced else "It is the first version served."
        )
        if served_before == pushed_version:
            consequence = "It was already in service when this run went on."
        return Decision("pushed", f"Now serving: version {pushed_version}", consequence, [])

    stays = f"Version {served_before} stays in service." if served_before else "No model is in service yet."
    if not infra_blessed:
        reasons = infra_problems or ["The serving check failed without a reason."]
        headline = "Refused: the model failed the serving check"
        return Decision("failed_serving_check", headline, stays, [*reasons, *unmet])
    if not blessed:
        return Decision(
            "not_blessed",
            "Refused: the model did not meet the thresholds",
            stays,
            unmet or ["The evaluation refused the model; its own messages are in the run's log."],
        )
    return Decision("failed", "Not served: the model passed every check and was not pushed", stays, [])
