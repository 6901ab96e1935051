"""Edits of a protected portrait beside edits of the clean one, on pictures made by hand."""

import numpy as np
import pytest

from vdf_bench.core.clip import Clip, split_frames
from vdf_bench.core.interfaces import Edits, Evidence
from vdf_bench.judges.editing import EDITED, Editing, edited, resized

SIZE = 32


def portrait():
    return np.full((SIZE, SIZE, 3), 100, np.uint8)


def painted(value, side=8):
    picture = portrait()
    picture[:side, :side] = value
    return picture


def measured(made, clean, **more):
    clip = Clip("p", portrait()[None], np.zeros(0, np.float32), "p")
    names = tuple(f"edit-{k}" for k in range(len(made)))
    evidence = Evidence(
        clip,
        split_frames(1),
        clip.frames,
        edits=Edits(names, np.stack(made)),
        clean_edits=Edits(names, np.stack(clean)),
    )
    return {row.metric: row for row in Editing.configured(more).measure(evidence)}


def test_the_same_edits_are_no_success():
    rows = measured([painted(250)], [painted(250)])
    assert rows["dsr_l2"].value == 0
    assert (rows["dsr_l2"].stage, rows["dsr_l2"].n) == ("edit", 1)
    assert rows["edit_psnr"].value == 100
    assert rows["identity_drop"].value == 0


def test_masked_l2_looks_where_the_clean_edit_changed_the_portrait():
    spoilt, elsewhere = painted(130), painted(250)
    elsewhere[16:, 16:] = 0
    rows = measured([spoilt, elsewhere], [painted(250)] * 2)
    inside = ((250 - 130) * 2 / 255) ** 2
    assert rows["edit_l2_masked"].value == pytest.approx(inside / 2, rel=1e-5)
    assert rows["dsr_l2"].value == 0.5


@pytest.mark.parametrize(("levels", "success"), [(28, 0.0), (29, 1.0)])
def test_the_threshold_is_a_mean_square_of_005(levels, success):
    assert (((levels * 2 / 255) ** 2) > 0.05) is bool(success)
    assert measured([painted(250 - levels)], [painted(250)])["dsr_l2"].value == success


def test_an_edit_that_changes_nothing_counts_for_nobody():
    rows = measured([painted(0), painted(0)], [painted(250), portrait()])
    assert (rows["dsr_l2"].value, rows["dsr_l2"].n) == (1.0, 1)


def test_edits_that_all_change_nothing_are_no_success():
    rows = measured([painted(0)], [portrait()])
    assert (rows["dsr_l2"].value, rows["dsr_l2"].n) == (0.0, 0)
    assert rows["edit_area"].value == 0


def test_a_pixel_counts_as_edited_from_half_a_unit_over_its_channels():
    picture = portrait()
    step = EDITED / 2 * 255
    picture[0, 0, 0] += int(step) + 1
    picture[0, 1, 0] += int(step)
    assert edited(picture[None], portrait())[0, 0, :2].tolist() == [True, False]


def test_the_success_threshold_is_a_parameter():
    assert measured([painted(200)], [painted(250)], max_l2="0.5")["dsr_l2"].value == 0


def test_portraits_are_brought_to_the_editors_size():
    assert resized(portrait(), 16).shape == (16, 16, 3)
    assert resized(portrait(), SIZE) is not None
