"""The KerasTuner tuner over the number of segments."""

from __future__ import annotations

import functools
from typing import Any

import keras_tuner
from absl import logging
from keras_tuner.errors import FatalError

from components.trainer.hyperparameters import PARAMETER
from components.tuner.choice import Bounds, choose, compared_with_none, score_of
from components.tuner.judging import Judge
from components.tuner.sweep import Candidate, Sweep

_SCORE = "score"
# Of a trial whose candidate has no score. A trial that fails for KerasTuner would, three in a row, end the search.
_NO_SCORE = -1.0


class SegmentTuner(keras_tuner.Tuner):
    """Tries every k in order, keeps what was measured of each, and says which one wins.

    For KerasTuner a trial is a candidate and its score is `choice.score`, but the best hyperparameters are those of
    `choice.choose`: the smallest k near the best score.
    """

    def __init__(
        self,
        judge: Judge,
        fewest: int,
        most: int,
        bounds: Bounds,
        tolerance: float,
        rows: int,
        directory: str,
    ):
        """Sets up the search.

        Args:
          judge: of the candidates.
          fewest, most: smallest and largest k.
          bounds: of the judge.
          tolerance: see `choice.choose`.
          rows: customers that the judge fits.
          directory: for KerasTuner's own files.
        """
        self._judge, self._bounds, self._tolerance, self._rows = judge, bounds, tolerance, rows
        self._range = fewest, most
        self._candidates: list[Candidate] = []
        # Goes through the values in order, beginning with the default: here the smallest.
        oracle = keras_tuner.oracles.GridSearchOracle(
            objective=keras_tuner.Objective(_SCORE, "max"), max_trials=most - fewest + 1
        )
        super().__init__(oracle, directory=directory, project_name="segments", overwrite=True)
        oracle.verbose = 0

    def _populate_initial_space(self) -> None:
        space = self.oracle.get_space()
        space.Int(PARAMETER, *self._range)
        self.oracle.update_space(space)

    def run_trial(self, trial: Any, *fit_args: Any, **fit_kwargs: Any) -> dict[str, float]:
        """Fits and judges the k of a trial.

        Raises:
          keras_tuner.errors.FatalError: anything went wrong; KerasTuner goes on after all other errors.
        """
        try:
            candidate = self._judge.candidate(trial.hyperparameters.get(PARAMETER))
        except Exception as error:
            raise FatalError(str(error)) from error
        self._candidates.append(candidate)
        line = _line(candidate)
        logging.get_absl_logger().info("Tuner %s", line, extra={"progress": line})
        score = score_of(candidate)
        return {_SCORE: _NO_SCORE if score is None else score}

    @functools.cached_property
    def sweep(self) -> Sweep:
        """What the search found, once it is over.

        Raises:
          components.errors.DataError: no candidate could be fitted and judged.
        """
        candidates = tuple(sorted(self._candidates, key=lambda candidate: candidate.k))
        chosen, why = choose(candidates, self._bounds, self._tolerance)
        silhouette = next(c.silhouette for c in candidates if c.k == chosen)
        note = compared_with_none(silhouette, self._judge.reference(chosen))
        judged = len(self._judge.judged)
        return Sweep(chosen, f"{why} {note}".strip(), self._tolerance, self._rows, judged, candidates)

    def get_best_hyperparameters(self, num_trials: int = 1) -> list[keras_tuner.HyperParameters]:
        """Those of the chosen k, then the others by score."""
        trials = self.oracle.get_best_trials(len(self._candidates))
        found = [trial.hyperparameters for trial in trials]
        found.sort(key=lambda parameters: parameters.get(PARAMETER) != self.sweep.chosen)
        return found[:num_trials]


def _line(candidate: Candidate) -> str:
    if candidate.silhouette is None:
        return f"k = {candidate.k}: {candidate.reason}"
    out = "" if candidate.eligible else f"; {candidate.reason}"
    steadiness = "unknown" if candidate.stability is None else f"{candidate.stability:.2f}"
    return f"k = {candidate.k}: silhouette {candidate.silhouette:.3f}, stability {steadiness}{out}"
