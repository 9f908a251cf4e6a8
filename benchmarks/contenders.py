"""Who joins, by which command, and what it costs."""

from __future__ import annotations

from benchmarks.corpus import Corpus
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
        return spent(command(name, corpus), corpus.folder, memory_limit)
    finally:
        clear(corpus)


def clear(corpus: Corpus) -> None:
    """Remove what contenders wrote."""
    for path in corpus.folder.glob("*.out.*"):
        path.unlink()


def command(name: str, corpus: Corpus) -> list[str]:
    """What makes a contender join the sidecars of a corpus onto its feature table, in its folder."""
    if name == OURS:
        return _ours(corpus)
    if name == COPY:
        return module("benchmarks.peers.bare_copy", corpus.features, out_of(name))
    return module(PEERS[name], corpus.features, out_of(name), *corpus.sidecars)


def _ours(corpus: Corpus) -> list[str]:
    scores = [f"--scores={sidecar.removesuffix('.jsonl')}={sidecar}" for sidecar in corpus.sidecars]
    out = out_of(OURS)
    return module(
        "pipeline",
        "join",
        f"--features={corpus.features}",
        *scores,
        f"--out={out}",
        f"--audit-json={out}.audit.json",
        "--missing-policy=mark",
    )
