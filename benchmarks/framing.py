"""Writes a sidecar that holds the frames of every clip; the same arguments give the same bytes.

::

    python -m benchmarks.framing FILE CLIPS FRAMES
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np


def write(path: Path, clips: int, frames: int) -> None:
    """Write a JSONL file of one line per clip, as json.dumps would."""
    random = np.random.default_rng(2)
    with path.open("w", encoding="ascii") as stream:
        for clip in range(clips):
            scores, times = random.random((2, frames)) * 100
            stream.write(f'{{"video_id": "clip_{clip:07d}.mp4", "frames": [')
            stream.write(
                ", ".join(
                    f'{{"frame": {frame}, "score": {score!r}, "runtime_ms": {time!r}}}'
                    for frame, (score, time) in enumerate(
                        zip(scores.round(6).tolist(), times.round(3).tolist(), strict=True)
                    )
                )
            )
            stream.write("]}\n")


if __name__ == "__main__":
    write(Path(sys.argv[1]), *map(int, sys.argv[2:]))
