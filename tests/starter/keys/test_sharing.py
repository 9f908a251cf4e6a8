"""`init` gives no score to another clip: it proposes no options under which a join would refuse rows."""

from __future__ import annotations

import itertools
from collections import defaultdict
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import UsageError
from pipeline.starter import write_starter
from tests.support.builders import local, run_manifest, write_jsonl, write_text
from tests.support.examples import EXAMPLES
from tests.support.starters import counts, features, init

TWO_FOLDERS = ["b1/747.mp4", "b24/747.mp4"]


def test_a_table_of_labels_and_one_score(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A score keyed by a whole path is for that row alone, so whole keys are compared."""
    write_text(tmp_path / "f.csv", "path,mos\nb1/747.mp4,31\nb24/747.mp4,70\n")
    write_text(tmp_path / "d.csv", "path,score\nb1/747.mp4,0.5\n")
    tables, said = init(tmp_path, capsys)
    ((_, table),) = tables.items()
    assert (table["key_column"], table["key_normalize"]) == ("path", "raw")
    assert "d: 1 matched, 1 missing, 0 bad, 0 unused" in said
    assert "feature table f.csv: it has a human label, and no file has features" in said
    (joined,) = counts(tmp_path / "second-opinion.json").values()
    assert joined == {"d": (1, 1)}


@pytest.mark.parametrize(
    ("key", "options"),
    [
        ("/data/lsvq/{}.mp4", {"score_key_regex": "^/data/lsvq/(.+?)$"}),
        ("{}.avi", {"key_regex": r"^(.+?)\.mp4$", "score_key_regex": r"^(.+?)\.avi$"}),
        ("{}_crf_10.mp4", {"score_key_regex": r"^(.+?)_crf_10\.mp4$", "key_regex": r"^(.+?)\.mp4$"}),
    ],
)
def test_whole_paths_without_what_is_around_them(
    tmp_path: Path, key: str, options: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Where only folders tell clips apart, regexes take away what whole paths have beside the clip."""
    features(tmp_path / "features.jsonl", [*TWO_FOLDERS, "b1/1.mp4"], "path")
    rows = [{"path": key.format(name), "score": 1.5} for name in ("b1/747", "b1/1")]
    write_jsonl(tmp_path / "dover.jsonl", rows)
    ((_, table),) = init(tmp_path, capsys)[0].items()
    assert table["key_normalize"] == "raw"
    assert {name: table[name] for name in ("key_regex", "score_key_regex") if name in table} == options
    (joined,) = counts(tmp_path / "second-opinion.json").values()
    assert joined == {"dover": (2, 1)}


@pytest.mark.parametrize("key", ["747.mp4", "elsewhere/747.mp4"])
def test_rows_may_share_a_score_that_does_not_say_whose_it_is(
    tmp_path: Path, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Scores by bare names, or with a folder that no feature key has, go to every encode, and those rows are counted."""
    features(tmp_path / "features.jsonl", TWO_FOLDERS, "path")
    write_jsonl(tmp_path / "dover.jsonl", [{"path": key, "score": 1.5}])
    _, said = init(tmp_path, capsys)
    assert "dover: 2 matched, 0 missing, 0 bad, 0 unused, 2 shared" in said


@pytest.mark.parametrize("column", ["height", "Unnamed: 0", "frame_rate"])
def test_small_numbers_name_no_clips(tmp_path: Path, column: str) -> None:
    """A column of small numbers is no key because a clip is called 1, unless its name says that it names clips."""
    names = [f"clip_{number}" for number in range(1, 5)]
    features(tmp_path / "features.jsonl", [], "vid")
    rows = [{"vid": f"other_{name}x", "blur": 0.5, column: number} for number, name in enumerate(names, 1)]
    write_jsonl(tmp_path / "features.jsonl", rows)
    write_jsonl(tmp_path / "dover.jsonl", [{"path": f"d/{row}.mp4", "score": 1.5} for row in range(1, 5)])
    with pytest.raises(UsageError, match="no feature table has its keys"):
        write_starter(tmp_path)


FOLDERS = st.sampled_from(["", "b1/", "b24/", "x/b1/", "/data/b1/"])
KEYS = st.builds(
    "{}{}{}".format, FOLDERS, st.sampled_from(["747", "748", "clip"]), st.sampled_from(["", ".mp4", ".avi"])
)


def shared_parts(key: str, other: str) -> int:
    """How many parts of two paths are the same, from the folder of the file upwards."""
    pairs = zip(reversed(key.split("/")[:-1]), reversed(other.split("/")[:-1]), strict=False)
    return len(list(itertools.takewhile(lambda pair: pair[0] == pair[1], pairs)))


@settings(deadline=None, max_examples=EXAMPLES // 2)
@given(ours=st.sets(KEYS, min_size=1, max_size=6), theirs=st.sets(KEYS, min_size=1, max_size=6))
def test_what_is_proposed_is_never_refused(
    ours: set[str], theirs: set[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever keys there are, what is proposed completes, and rows of one score are equally close to its key."""
    folder = tmp_path_factory.mktemp("folder")
    features(folder / "features.jsonl", sorted(ours), "path")
    keys = sorted(theirs)
    write_jsonl(folder / "dover.jsonl", [{"path": key, "score": row} for row, key in enumerate(keys)])
    try:
        started = write_starter(folder)
    except UsageError:
        return
    result = run_manifest(local(started.manifest))
    assert result.exit_code == 0, result.report
    (joined,) = (folder / "joined").glob("*.parquet")
    table = pq.read_table(joined)
    near: dict[float, set[int]] = defaultdict(set)
    for key, score in zip(table["path"].to_pylist(), table.columns[-5].to_pylist(), strict=True):
        if score is not None:
            near[score].add(shared_parts(key, keys[int(score)]))
    assert all(len(each) == 1 for each in near.values())
