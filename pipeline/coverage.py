"""What each scorer covers of a feature table, and when that is too little."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from pipeline import keys
from pipeline.errors import JoinError, listing, show
from pipeline.join import Match, Scorer, column_prefix
from pipeline.outcome import Coverage, LowMatch, explain

LOW_SHARE = 0.5
"""A scorer that matches less than this share of the rows is explained: keys of each side, a better rule."""


def coverage(found: Match) -> list[Coverage]:
    """What each scorer covers, in order of label."""
    return [_coverage(found, index) for index in range(len(found.scorers))]


def check(found: Match, covered: Sequence[Coverage]) -> None:
    """Refuse a join that would be silently wrong, or that the options forbid.

    :raises JoinError: a scorer matches no row of a table that has rows; covers less than `min_coverage`;
        or misses a row under `missing_policy` fail. Names every such scorer, its counts and the cure.
    """
    faults = [fault for each in covered if (fault := _fault(found, each)) is not None]
    if faults:
        raise JoinError(
            listing(f"{len(faults)} of {len(covered)} scorers do not cover the feature table", faults)
        )


def _coverage(found: Match, index: int) -> Coverage:
    scorer, positions = found.scorers[index], found.positions[index]
    matched = len(positions) - positions.null_count
    covered: Coverage = {
        "competitor": scorer.label,
        "column_prefix": column_prefix(scorer, found.options),
        "scores_loaded": len(scorer.keys),
        "matched_rows": matched,
        "missing_rows": positions.null_count,
        "bad_rows": scorer.bad.take(positions).true_count,
        "unused_scores": found.unused[index],
    }
    if found.rows and matched < LOW_SHARE * found.rows:
        covered["low_match"] = _low_match(found, scorer, matched)
    return covered


def _low_match(found: Match, scorer: Scorer, matched: int) -> LowMatch:
    low: LowMatch = {
        "unmatched_feature_keys": keys.examples(found.keys, found.side.read(), scorer.keys),
        "unmatched_score_keys": keys.examples(
            scorer.keys,
            pa.chunked_array([part.side.read() for part in scorer.parts]).combine_chunks(),
            found.keys,
        ),
    }
    better = keys.better_normalize(
        found.side, [part.side for part in scorer.parts], found.options.key_normalize, matched
    )
    if better is not None:
        low["better_key_normalize"], low["better_matched_rows"] = better
    return low


def _fault(found: Match, covered: Coverage) -> str | None:
    options, rows, matched = found.options, found.rows, covered["matched_rows"]
    counts = (
        f"{show(covered['competitor'])}: {matched} of {rows} rows matched, {covered['missing_rows']} missing"
    )
    if rows and not matched:
        reason = "no row matched, so the keys of the two sides do not mean the same"
    elif rows and matched / rows < options.min_coverage:
        reason = f"expected a share of at least {options.min_coverage:g} (min_coverage)"
    elif covered["missing_rows"] and options.missing_policy == "fail":
        reason = (
            "expected a score for every row (missing_policy fail; mark keeps such rows, drop leaves them out)"
        )
    else:
        return None
    return "\n    ".join([f"{counts}; {reason}", *explain(covered)])
