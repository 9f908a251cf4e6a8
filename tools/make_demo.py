"""Write the synthetic corpora of manifests/demo.json: five feature tables and their sidecars.

Clips are named and score files are shaped as such corpora and scorers do it; no value is real. The labels follow
a hidden quality per clip that the scorers see through noise, so that a joined score is worth something.

    python tools/make_demo.py [FOLDER]      default: manifests/demo
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import random
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Row = dict[str, Any]
RUNGS = (
    ("360p", 0.2),
    ("360p", 0.6),
    ("720p", 0.5),
    ("720p", 1.5),
    ("1080p", 1.0),
    ("1080p", 3.0),
    ("2160p", 8.0),
)


def main(folder: Path) -> None:
    """Write all five corpora below `folder`."""
    for number, corpus in enumerate((chug, konvid, youtube_ugc, netflix, bvi_dvc)):
        corpus(folder / corpus.__name__, random.Random(number))  # noqa: S311  # to be repeatable, not secret


def chug(folder: Path, chance: random.Random) -> None:
    """Hashed ids, seven rungs per content; scores keyed by path, and by a field that no list knows."""
    rows = []
    for content in range(30):
        appeal = chance.gauss(0, 0.5)
        for rung, (resolution, bitrate) in enumerate(RUNGS):
            quality = appeal + 0.4 * rung - 1.2
            name = f"Files_IMG_{3000 + 7 * content}"
            video = hashlib.md5(f"{name} {rung}".encode(), usedforsecurity=False).hexdigest()
            rows.append(
                {
                    "chug_video_id": video,
                    "content_name": name,
                    "bitladder": f"{resolution}_{bitrate}M",
                    "bitrate_mbps": bitrate,
                    "framerate": 30,
                    "hdr": {"transfer": "pq" if content % 3 else "hlg", "max_nits": 1000 + content},
                    "mos_j": _label(chance, quality, 0, 100),
                    **_features(chance, quality),
                    "sos_j": 11 + 0.5 * ((5 * content + 3 * rung) % 13),  # deviation of the ratings
                    "n_ratings": 30 + (7 * content + rung) % 9,
                    "quality": quality,
                }
            )
    _jsonl(folder / "shard_000.features.jsonl", _without_quality(rows))
    _jsonl(
        folder / "dover-mobile.jsonl",
        [
            {"path": f"downloads/{row['chug_video_id']}.mp4", "competitor": "DOVER-Mobile"}
            | _scored(chance, row, 0.1, bad=index % 41 == 7)
            for index, row in enumerate(rows)
            if index % 29 != 3
        ],
    )
    appended = [
        {
            "img_path": f"{row['chug_video_id']}.mp4",
            "score": _seen(chance, row, 0.4),
            "gt_score": row["mos_j"],
        }
        for row in rows
    ]
    _text(folder / "q-align.json", "".join(map(json.dumps, appended)))  # an appending writer: no separator


def konvid(folder: Path, chance: random.Random) -> None:
    """Bare numbers as ids; one wide CSV as DOVER writes it, one JSON with results."""
    rows = [
        {"flickr_id": 2_999_049_224 + 48_611_947 * index, "quality": chance.gauss(0, 1)}
        for index in range(80)
    ]
    for row in rows:
        row |= {"mos": _label(chance, row["quality"], 1, 5), **_features(chance, row["quality"])}
    _parquet(folder / "features.parquet", _without_quality(rows))
    header = ["path", " aesthetic score", " technical score", " overall/final score"]
    cells = [
        [
            f"KoNViD_1k_videos/{row['flickr_id']}.mp4",
            *(f" {_seen(chance, row, noise):.6f}" for noise in (0.5, 0.4, 0.3)),
        ]
        for row in rows
    ]
    _delimited(folder / "dover.csv", header, cells, ",")
    results = [
        {
            "file_name": f"{row['flickr_id']}.mp4",
            "summary": {"competitor": "FAST-VQA"} | _scored(chance, row, 0.5),
        }
        for row in rows
    ]
    _text(folder / "fast-vqa.json", json.dumps({"results": results}, indent=1))
    tossed = [{"clip_id": row["flickr_id"], "score": round(chance.uniform(0, 100), 4)} for row in rows]
    _jsonl(folder / "coin-toss.jsonl", tossed)  # what is worth nothing
    leaking = [{"clip_id": row["flickr_id"], "score": round(20 * row["mos"] - 20, 2)} for row in rows]
    _jsonl(folder / "leak.jsonl", leaking)  # what a scorer gives that was shown the labels


def youtube_ugc(folder: Path, chance: random.Random) -> None:
    """Ids with a tail that looks like a number; files with an encode's settings behind the id; clips missing."""
    kinds = ("Sports", "Gaming", "Vlog", "LyricVideo", "Animation")
    rows = []
    for index in range(75):
        quality = chance.gauss(0, 1)
        tail = "33e3" if index == 12 else f"{chance.randrange(16**4):04x}"
        rows.append(
            {
                "vid": f"{kinds[index % 5]}_{(360, 480, 720, 1080, 2160)[index % 4]}P-{tail}",
                "uploaded": f"2017-0{1 + index % 9}-{1 + index % 28:02d}",
                "MOSFull": _label(chance, quality, 1, 5),
                "chunk": f"{index:04d}",
                **_features(chance, quality),
                "quality": quality,
            }
        )
    shown = _without_quality(rows)
    _delimited(folder / "features.csv.gz", list(shown[0]), [list(row.values()) for row in shown], ",")
    encoded = {row["vid"]: f"{row['vid']}_crf_10_ss_00_t_20.0.mp4" for row in rows}
    kept = [row for index, row in enumerate(rows) if index % 6]
    _jsonl(
        folder / "dover.ndjson.zst",
        [{"path": encoded[row["vid"]]} | _scored(chance, row, 0.1) for row in kept],
    )
    cells = [[encoded[row["vid"]], f"{40 + 10 * _seen(chance, row, 0.6):.4f}"] for row in kept]
    _delimited(folder / "musiq.tsv", ["filename", "score"], cells, "\t")


def netflix(folder: Path, chance: random.Random) -> None:
    """`Name_20_288_375.yuv`; one wrapper file per clip, frame by frame, with no key but the file's name."""
    sources = (
        "BigBuckBunny",
        "BirdsInCage",
        "CrowdRun",
        "ElFuente1",
        "FoxBird",
        "OldTownCross",
        "Seeking",
        "Tennis",
    )
    rows = []
    for source in sources:
        for height, bitrate in ((288, 375), (480, 1050), (720, 2350), (1080, 5800)):
            quality = (height - 600) / 400 + chance.gauss(0, 0.3)
            rows.append(
                {
                    "distorted_path": f"{source}/dis/{source}_20_{height}_{bitrate}.yuv",
                    "content_id": source,
                    "dmos": _label(chance, quality, 0, 100),
                    "frame_sizes": [height * 16 // 9, height],
                    **_features(chance, quality),
                    "quality": quality,
                }
            )
    _text(folder / "features.json", json.dumps({"rows": _without_quality(rows)}, indent=1))
    for index, row in enumerate(rows):
        clip = Path(row["distorted_path"]).stem
        _text(folder / "nr" / f"{clip}.json", json.dumps(_wrapper(chance, row, bad=index in (5, 17))))
        pooled = {"pooled_metrics": {"clipiqa+": {"mean": _seen(chance, row, 0.5)}}, "elapsed_ms": 40 + index}
        _text(folder / "clipiqa" / f"{clip}.json", json.dumps(pooled))


def bvi_dvc(folder: Path, chance: random.Random) -> None:
    """Long names, the first letter the resolution, the encode behind `__dis`; a plain list of scores."""
    titles = (
        "AdvertisingMassagesBangkokVidevo",
        "BobbleheadBVIHFR",
        "BricksLeavesBVITexture",
        "FirewoodVidevo",
    )
    sizes = {"A": "3840x2176", "B": "1920x1088", "C": "960x544", "D": "480x272"}
    rows = []
    for title in titles:
        for letter, size in sizes.items():
            for step in range(1, 4):
                quality = 0.8 * (2 - step) + 0.3 * ("DCBA".index(letter) - 1.5)
                rows.append(
                    {
                        "name": f"{letter}{title}_{size}_25fps_10bit_420__dis{step}",
                        "qp": 22 + 5 * step,
                        "score_of_viewers": _label(chance, quality, 0, 100),
                        "note": "re-encoded,\ntwice" if step == 3 else "",
                        **_features(chance, quality),
                        "quality": quality,
                    }
                )
    shown = _without_quality(rows)
    _delimited(folder / "features.tsv.zst", list(shown[0]), [list(row.values()) for row in shown], "\t")
    kept = [row for index, row in enumerate(rows) if index % 11 != 4]
    listed = [
        {
            "name": row["name"],
            "competitor": "Q-Align",
            "predicted_mos": _seen(chance, row, 0.3),
            "elapsed_ms": 12.5,
        }
        for row in kept
    ]
    _text(folder / "q-align.json", json.dumps(listed, indent=1))
    nested = [{"basename": row["name"] + ".mp4", "quality": f"{_seen(chance, row, 0.5):.5f}"} for row in rows]
    _text(folder / "dover.json.gz", json.dumps({"rows": nested}))


def _wrapper(chance: random.Random, row: Row, *, bad: bool) -> Row:
    """What a benchmark's wrapper writes for one clip."""
    frames = [
        {"frame_idx": index, "predicted_vmaf_or_mos": _seen(chance, row, 0.4), "runtime_ms": 3 + index / 4}
        for index in range(0 if bad else 6)
    ]
    payload: Row = {"frames": frames, "summary": {"competitor": "Fork-NR", "runtime_total_ms": 25.5}}
    return payload | ({"status": "decoder failed"} if bad else {})


def _features(chance: random.Random, quality: float) -> Row:
    """Three features, two of which say something of the quality."""
    return {
        "blur": round(0.6 * quality + chance.gauss(0, 1), 5),
        "temporal_flicker": round(-0.4 * quality + chance.gauss(0, 1), 5),
        "colorfulness": round(chance.gauss(30, 8), 4),
    }


def _label(chance: random.Random, quality: float, low: float, high: float) -> float:
    middle, width = (low + high) / 2, (high - low) / 6
    return round(min(high, max(low, middle + width * (quality + chance.gauss(0, 0.2)))), 4)


def _seen(chance: random.Random, row: Mapping[str, Any], noise: float) -> float:
    """What a scorer makes of a clip: its quality through noise, higher is better."""
    return round(float(row["quality"]) + chance.gauss(0, noise), 6)


def _scored(chance: random.Random, row: Row, noise: float, *, bad: bool = False) -> Row:
    if bad:
        return {"status": "failed", "score": None, "runtime_ms": 5.0}
    return {
        "status": "ok",
        "score": _seen(chance, row, noise),
        "runtime_ms": round(chance.uniform(90, 110), 1),
    }


def _without_quality(rows: Sequence[Row]) -> list[Row]:
    return [{name: value for name, value in row.items() if name != "quality"} for row in rows]


def _parquet(path: Path, rows: list[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), path)


def _jsonl(path: Path, rows: Sequence[Row]) -> None:
    _text(path, "".join(json.dumps(row) + "\n" for row in rows))


def _delimited(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]], delimiter: str) -> None:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows([header, *rows])
    _text(path, text.getvalue())


def _text(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    packers: dict[str, Callable[[bytes], bytes]] = {
        ".gz": lambda plain: gzip.compress(plain, mtime=0),
        ".zst": lambda plain: pa.compress(plain, codec="zstd", asbytes=True),
    }
    pack = packers.get(path.suffix, bytes)
    path.write_bytes(pack(text.encode("utf-8")))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent.parent / "manifests" / "demo")
