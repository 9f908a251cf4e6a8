"""Families of signals: whole tokens of a column's name decide, and a faulty file is told in full."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InputError, InputMissingError
from pipeline.manifest.families import Families, load_families, tokens_of
from tests.support.builders import write_json

FAMILIES = load_families()
FAMILY: dict[str, Any] = {
    "name": "speed",
    "title": "Speed",
    "question": "How fast?",
    "patterns": ["fast"],
    "candidates": ["fastness"],
    "advice": "Measure it.",
}
SMALL: dict[str, Any] = {
    "schema": "second-opinion-signal-families-v1",
    "scores": "speed",
    "families": [FAMILY],
}


def loaded(folder: Path, **changes: object) -> Families:
    """The families of a small file with some of its parts replaced."""
    return load_families(write_json(folder / "f.json", SMALL | changes))


@pytest.mark.parametrize(
    ("column", "family"),
    [
        ("vmaf", "full_reference"),
        ("vmaf_neg_mean", "full_reference"),
        ("integer_adm2", "full_reference"),
        ("psnr_y", "error_energy"),
        ("PSNR-HVS", "error_energy"),
        ("float_ms_ssim", "structural_similarity"),
        ("lpips_vgg", "deep_perceptual"),
        ("psnr_cb", "color_chroma"),
        ("ciede2000", "color_chroma"),
        ("cambi", "banding_tone"),
        ("flicker_index", "temporal_flicker"),
        ("roi_psnr", "saliency_roi"),
        ("panel_nits", "hdr_display"),
        ("MaxCLL", "hdr_display"),
        ("framerate", "source_content"),
        ("source_width", "source_content"),
        ("bitrate", "codec_encoder"),
        ("videval_07", "no_reference"),
        ("film_grain", "noise_grain_blur"),
        ("motion_blur", "noise_grain_blur"),
        ("predicted_mos", "no_reference"),
    ],
)
def test_a_column_belongs_to_the_family_that_its_tokens_name(column: str, family: str) -> None:
    """The package's families know the usual metrics under the names that their tools write."""
    assert FAMILIES.claims(column) == family


@pytest.mark.parametrize(
    ("column", "family"),
    [
        ("clip_iqa", "no_reference"),
        ("CLIPIQA", "no_reference"),
        ("clipIQA", "no_reference"),
        ("pvmaf", "no_reference"),
        ("pVMAF", "no_reference"),
        ("sharpness", "noise_grain_blur"),
        ("monitor", None),
        ("eclipse", None),
        ("identity", None),
        ("pathology", None),
        ("kidney", None),
        ("mosaic", None),
    ],
)
def test_a_part_of_a_word_is_no_token(column: str, family: str | None) -> None:
    """`clip`, `vmaf`, `sha`, `nit`, `id` and `mos` inside of other words claim nothing."""
    assert FAMILIES.claims(column) == family


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        *(
            (name, "label")
            for name in (
                *(
                    "mos_predicted",
                    "mos",
                    "mos_j",
                    "mos_std_dev",
                    "n_ratings",
                    "sos_j",
                    "MOSFull",
                    "MOSChunk00",
                    "stdFull",
                ),
                *("stdChunk10", "x_Subjects", "gt_score", "DMOS"),
            )
        ),
        *((name, "identifier") for name in ("clip_id", "flickr_id", "path", "sha256", "Unnamed: 0", "index")),
        *((name, "split") for name in ("split", "fold_3", "is_train", "val")),
        *((name, "account") for name in ("dover_runtime_ms", "nb_frames", "dover_frames", "dover_status")),
        ("width_source", "account"),
    ],
)
def test_some_columns_are_no_signals(column: str, kind: str) -> None:
    """Labels and what is derived from ratings, names, splits and accounts of a run are excluded, with a reason."""
    assert FAMILIES.claims(column) == kind
    assert FAMILIES.reason(kind)


def test_the_families_of_the_package_are_those_of_the_design() -> None:
    """Thirteen families, each with a question, candidates and advice; joined scores are no-reference."""
    assert [each.name for each in FAMILIES.members] == [
        "full_reference",
        "error_energy",
        "structural_similarity",
        "deep_perceptual",
        "color_chroma",
        "banding_tone",
        "temporal_flicker",
        "saliency_roi",
        "hdr_display",
        "source_content",
        "codec_encoder",
        "no_reference",
        "noise_grain_blur",
    ]
    assert FAMILIES.scores == "no_reference"


@pytest.mark.parametrize("pattern", [pattern for each in FAMILIES.members for pattern in each.patterns])
def test_every_pattern_of_the_package_is_reached(pattern: str) -> None:
    """A column that is named like a pattern belongs to the family that has it: no pattern hides another."""
    column = "_".join(part for part in pattern.split() if part not in "^$")
    assert FAMILIES.claims(column) == next(each.name for each in FAMILIES.members if pattern in each.patterns)


def test_the_longest_pattern_decides_and_then_the_order_of_the_file(tmp_path: Path) -> None:
    """Two tokens go before one; of one length the earlier family has it, and what is excluded goes before both."""
    families = loaded(
        tmp_path,
        families=[FAMILY, FAMILY | {"name": "food", "patterns": ["food", "fast food", "slow"]}],
        excluded=[{"name": "none", "reason": "it is none", "patterns": ["slow speed", "dull"]}],
    )
    found = {
        column: families.claims(column)
        for column in (
            "fast",
            "food_fast",
            "fast_food",
            "slow",
            "slow_speed",
            "fast_dull",
            "dull_fast_food",
            "x",
        )
    }
    assert found == {
        "fast": "speed",
        "food_fast": "speed",
        "fast_food": "food",
        "slow": "food",
        "slow_speed": "none",
        "fast_dull": "none",
        "dull_fast_food": "food",
        "x": None,
    }


def test_a_pattern_can_ask_for_the_start_or_the_end(tmp_path: Path) -> None:
    """`^` and `$` stand for the ends of a name."""
    families = loaded(tmp_path, families=[FAMILY | {"patterns": ["^ fast", "quick $"]}])
    assert [families.claims(name) for name in ("fast_x", "x_fast", "x_quick", "quick_x")] == [
        "speed",
        None,
        "speed",
        None,
    ]


def test_the_digest_is_that_of_the_file(tmp_path: Path) -> None:
    """Whoever cites the families cites the bytes that were read."""
    path = write_json(tmp_path / "f.json", SMALL)
    assert load_families(path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"schema": "v0"}, "schema: found 'v0'; expected const 'second-opinion-signal-families-v1'"),
        ({"scores": "slowness"}, "scores: found 'slowness'; expected the name of one of the families"),
        ({"families": []}, "families: found []; expected at least one entry"),
        (
            {"families": [FAMILY | {"patterns": ["Fast"]}]},
            "families[0].patterns[0]: found 'Fast'; expected a text",
        ),
        (
            {"families": [FAMILY | {"patterns": ["a_b"]}]},
            "families[0].patterns[0]: found 'a_b'; expected a text",
        ),
        ({"families": [FAMILY | {"patern": []}]}, "families[0].patern: unknown key; did you mean patterns?"),
        (
            {"families": [FAMILY, FAMILY]},
            "families[1].name: found 'speed'; expected a name that is not taken",
        ),
        (
            {"families": [FAMILY, FAMILY | {"name": "food"}]},
            "families[1].patterns[0]: found 'fast', which families[0] claims; expected one owner",
        ),
        (
            {"excluded": [{"name": "unassigned", "reason": "none", "patterns": ["x"]}]},
            "excluded[0].name: found 'unassigned'; expected a name that is not taken",
        ),
    ],
)
def test_a_faulty_file_is_told_with_the_place(tmp_path: Path, changes: dict[str, Any], fault: str) -> None:
    """The error names the file, the place in it, what was found and what is expected."""
    with pytest.raises(InputError) as caught:
        loaded(tmp_path, **changes)
    assert str(caught.value).startswith(f"{tmp_path / 'f.json'}: expected families of signals")
    assert fault in str(caught.value)


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    """Two faults are two lines of one error."""
    with pytest.raises(InputError, match=r"(?s)families\[0\]\.advice.*families\[0\]\.title"):
        loaded(tmp_path, families=[FAMILY | {"title": "", "advice": 3}])


def test_a_file_that_is_not_json_or_not_there_is_told(tmp_path: Path) -> None:
    """Neither ends in a traceback."""
    (tmp_path / "f.json").write_text("{")
    with pytest.raises(InputError, match=r"not JSON.*expected families of signals"):
        load_families(tmp_path / "f.json")
    with pytest.raises(InputMissingError, match=r"g\.json"):
        load_families(tmp_path / "g.json")


@given(st.text(max_size=30))
def test_any_name_has_an_answer(column: str) -> None:
    """Whatever a column is called, it belongs to one family, one excluded kind, or none."""
    known = {each.name for each in FAMILIES.members} | {each.name for each in FAMILIES.excluded}
    assert FAMILIES.claims(column) in {None, *known}
    assert all(token and token == token.casefold() for token in tokens_of(column))


@given(st.text("abcxyz", min_size=1), st.sampled_from(["vmaf", "clip", "nits", "sha", "id", "mos", "psnr"]))
def test_letters_around_a_token_make_it_another(around: str, token: str) -> None:
    """A known token with letters on both sides is a word of its own, which nobody claims."""
    assert FAMILIES.claims(f"q{around}{token}{around}q") is None
