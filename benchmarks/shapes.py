"""Joins of unusual shapes, each beside its natural bound: a process that reads both inputs and does nothing with them.

python -m benchmarks.shapes [--scale 1.0] [--runs 3] [--folder FOLDER]
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.folders import add_folder, data_folder
from benchmarks.measuring import Cost, alternating, median, module, spent, spread

_FEATURES, _SIDECAR, _MANY, _OUT = "features.parquet", "scores.jsonl", "many", "o.parquet"


def main() -> None:
    """Make each shape, join it and read it in turn, print the costs."""
    given = _arguments()
    if given.only:
        _read()
        return
    with data_folder(given.folder) as folder:
        for name, make in _SHAPES.items():
            place = folder / f"shape-{name.replace(' ', '-')}"
            place.mkdir(parents=True, exist_ok=True)
            spent(module("benchmarks.shapes", "--make", name, "--scale", given.scale), place)
            rounds = alternating({"join": _joining(place), "bound": _bound(place)}, given.runs)
            joined, bound = (median([each[who] for each in rounds]) for who in ("join", "bound"))
            walls = spread([each["join"].wall for each in rounds])
            print(f"{name}: {make.__doc__}")
            print(
                f"  join wall s {walls}, CPU s {joined.cpu:.1f}, peak MB {joined.peak:.0f}; bound {bound.wall:.2f}"
            )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scale", type=float, default=1.0, help="share of the rows, files and columns")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--make", choices=[*_SHAPES], help="make this shape in the working folder")
    parser.add_argument("--only", choices=["read"], help="read the shape in the working folder")
    add_folder(parser)
    given = parser.parse_args()
    if given.make:
        _SHAPES[given.make](given.scale)
        raise SystemExit(0)
    return given


def _joining(place: Path) -> Callable[[], Cost]:
    sidecar = {"path": f"{_MANY}/*.json"} if (place / _MANY).exists() else {"path": _SIDECAR}
    scores = json.dumps(sidecar | {"label": "dover"})
    command = module("pipeline", "join", "--features", _FEATURES, "--scores", scores, "--out", _OUT)
    return lambda: spent(command, place)


def _bound(place: Path) -> Callable[[], Cost]:
    return lambda: spent(module("benchmarks.shapes", "--only", "read"), place)


def _read() -> None:
    import pyarrow.json as pajson
    import pyarrow.parquet as pq

    for _ in pq.ParquetFile(_FEATURES).iter_batches():
        pass
    for path in sorted(Path(_MANY).glob("*.json")):
        json.loads(path.read_bytes())
    if Path(_SIDECAR).exists():
        pajson.read_json(_SIDECAR, read_options=pajson.ReadOptions(block_size=1 << 26))


def _groups(scale: float) -> None:
    """1,200 row groups of one row x 60."""
    _write([f"c{at}" for at in range(_share(1200, scale))], columns=60, group_rows=1)


def _columns(scale: float) -> None:
    """2,000 rows x 20,000."""
    _write([f"c{at}" for at in range(_share(2000, scale))], columns=_share(20_000, scale))


def _files(scale: float) -> None:
    """5,000 files of one pattern, each the score of a clip."""
    clips = [f"c{at}" for at in range(_share(5000, scale))]
    _write(clips, scores=[])
    Path(_MANY).mkdir(exist_ok=True)
    for at, clip in enumerate(clips):
        (Path(_MANY) / f"{clip}.json").write_text(json.dumps({"clip_id": clip, "score": at / 2}), "utf-8")


def _long_keys(scale: float) -> None:
    """200,000 keys of 1 kB, 480 folders deep."""
    _write(["d/" * 480 + f"{at:08}.mp4" for at in range(_share(200_000, scale))])


def _equal_keys(scale: float) -> None:
    """1,000,000 rows of one key."""
    _write(["clip.mp4"] * _share(1_000_000, scale), scores=[{"clip_id": "clip.mp4", "score": 1.5}])


def _frames(scale: float) -> None:
    """100,000 clips, each an object in its own line with 300 frames."""
    drawn = random.Random(0)  # noqa: S311  # made data
    frames = [
        [{"frame": frame, "score": round(drawn.random(), 4)} for frame in range(300)] for _ in range(100)
    ]
    clips = [f"c{at}" for at in range(_share(100_000, scale))]
    _write(clips, scores=[{"clip_id": clip, "frames": frames[at % 100]} for at, clip in enumerate(clips)])


_SHAPES: dict[str, Callable[[float], None]] = {
    "row groups": _groups,
    "columns": _columns,
    "files": _files,
    "long keys": _long_keys,
    "equal keys": _equal_keys,
    "frames": _frames,
}


def _share(number: int, scale: float) -> int:
    return max(2, int(number * scale))


def _write(
    clips: list[str],
    columns: int = 2,
    group_rows: int | None = None,
    scores: list[dict[str, Any]] | None = None,
) -> None:
    """The features of these clips, and their scores: one for each if none are given."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    drawn = np.random.default_rng(0)
    features = {f"f{column}": drawn.random(len(clips)) for column in range(columns - 1)}
    pq.write_table(pa.table({"clip_id": clips, **features}), _FEATURES, row_group_size=group_rows)
    if scores is None:
        scores = [{"clip_id": clip, "score": at / 2} for at, clip in enumerate(clips)]
    if scores:
        with Path(_SIDECAR).open("w", encoding="utf-8") as stream:
            stream.writelines(json.dumps(row) + "\n" for row in scores)


if __name__ == "__main__":
    main()
