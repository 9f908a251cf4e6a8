"""Who joins, by which command, and what it costs."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.corpus import FEATURES, Corpus
from benchmarks.measuring import Cost, module, spent

OURS, COPY = "second-opinion", "bare copy"
PEERS = {"polars": "benchmarks.peers.by_polars", "duckdb": "benchmarks.peers.by_duckdb"}
NAMES = (OURS, *PEERS, COPY)


def out_of(name: str) -> str:
    """What a contender writes."""
    return f"{name.replace(' ', '_')}.out.parquet"


def cost(name: str, corpus: Corpus, memory_limit: float | None = None) -> Cost:
    """What it costs a contender to join the sidecars of a corpus onto its feature table; nothing is left of it."""
    try:
        return spent(command(name, corpus.sidecars), corpus.folder, memory_limit)
    finally:
        clear(corpus)


def clear(corpus: Corpus) -> None:
    """Remove what contenders wrote."""
    for path in corpus.folder.glob("*.out.*"):
        path.unlink()


def command(name: str, sidecars: Sequence[str]) -> list[str]:
    """What makes a contender join these sidecars onto the feature table, in the folder of a corpus."""
    if name == OURS:
        return _ours(sidecars)
    if name == COPY:
        return module("benchmarks.peers.bare_copy", FEATURES, out_of(name))
    return module(PEERS[name], FEATURES, out_of(name), *sidecars)


def _ours(sidecars: Sequence[str]) -> list[str]:
    scores = [f"--scores={sidecar.removesuffix('.jsonl')}={sidecar}" for sidecar in sidecars]
    out = out_of(OURS)
    return module(
        "pipeline",
        "join",
        f"--features={FEATURES}",
        *scores,
        f"--out={out}",
        f"--audit-json={out}.audit.json",
        "--missing-policy=mark",
    )
