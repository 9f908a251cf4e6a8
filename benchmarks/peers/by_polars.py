"""The join by Polars: lazy from the scans to the sink, with the threads that it takes by itself."""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl

FIELDS = {"path": pl.String, "score": pl.Float64, "runtime_ms": pl.Float64, "status": pl.String}
BASENAME = pl.col("path").str.extract(r"([^/]*)$")


def join(features: str, out: str, sidecars: list[str]) -> None:
    """Join all sidecars onto the feature table; rows keep their order."""
    joined = _scanned(features).with_columns(key=BASENAME)
    for sidecar in sidecars:
        name = f"second_opinion_{Path(sidecar).stem}"
        joined = joined.join(
            _scores(sidecar, name), on="key", how="left", maintain_order="left"
        ).with_columns(
            pl.col(f"{name}_status").fill_null("missing"),
            pl.col(f"{name}_frames").fill_null(0),
            pl.col(f"{name}_source").fill_null(""),
        )
    joined.drop("key").sink_parquet(out, compression="snappy")


def _scanned(features: str) -> pl.LazyFrame:
    if ".csv" in features:
        return pl.scan_csv(features)
    return pl.scan_ndjson(features) if ".jsonl" in features else pl.scan_parquet(features)


def _scores(sidecar: str, name: str) -> pl.LazyFrame:
    fine = pl.col("status").is_null() | pl.col("status").is_in(["ok", "pass", "success"])
    return pl.scan_ndjson(sidecar, schema=FIELDS).select(
        BASENAME.alias("key"),
        pl.col("score").alias(f"{name}_score"),
        pl.when(fine).then(pl.lit("ok")).otherwise(pl.lit("bad")).alias(f"{name}_status"),
        pl.col("runtime_ms").alias(f"{name}_runtime_ms"),
        pl.lit(0, pl.Int64).alias(f"{name}_frames"),
        pl.lit(sidecar).alias(f"{name}_source"),
    )


if __name__ == "__main__":
    join(sys.argv[1], sys.argv[2], sys.argv[3:])
