"""Single portraits out of files, friendly and hostile."""

import numpy as np
import pytest
from PIL import Image

from vdf_bench.core.errors import UserError
from vdf_bench.video.still import MAX_BYTES, load_still


def save(path, size=(96, 96), **more):
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 255, (size[1], size[0], 3), np.uint8)).save(path, **more)
    return path


def centre(picture):
    height, width = picture.shape[:2]
    return (width * 0.4, height * 0.4, width * 0.6, height * 0.6)


@pytest.mark.parametrize("ending", ["png", "jpg", "webp"])
def test_a_picture_becomes_a_clip_of_one_frame(tmp_path, ending):
    clip = load_still(save(tmp_path / f"me.{ending}"), 64, centre)
    assert clip.frames.shape == (1, 64, 64, 3)
    assert (clip.name, clip.identity, len(clip.audio)) == ("me", "me", 0)


def test_a_square_png_of_the_right_size_comes_through_unchanged(tmp_path):
    path = save(tmp_path / "me.png")
    np.testing.assert_array_equal(load_still(path, 96).frames[0], np.asarray(Image.open(path)))


def test_a_wide_picture_is_cropped_around_the_face(tmp_path):
    clip = load_still(save(tmp_path / "me.png", (300, 120)), 64, lambda _: (200.0, 40.0, 250.0, 90.0))
    assert "cropped" in clip.notes[0]


def test_a_wide_picture_without_a_face_is_refused(tmp_path):
    with pytest.raises(UserError, match="no face found"):
        load_still(save(tmp_path / "me.png", (300, 120)), 64, lambda _: None)


def test_a_picture_on_its_side_is_set_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    path = save(tmp_path / "me.jpg", (240, 300), exif=exif)
    assert "300x240" in load_still(path, 64, centre).source["picture"]


def test_transparent_pixels_stand_on_grey(tmp_path):
    Image.new("RGBA", (96, 96), (255, 0, 0, 0)).save(tmp_path / "me.png")
    assert load_still(tmp_path / "me.png", 96).frames[0, 0, 0].tolist() == [128, 128, 128]


def test_no_picture_is_refused_in_one_line(tmp_path):
    for name, content in (("a.png", b"no picture"), ("b.jpg", b""), ("c.webp", b"RIFF\0\0\0\0WEBP")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UserError, match="cannot be read as a picture") as refusal:
            load_still(tmp_path / name, 64)
        assert "\n" not in str(refusal.value)


def test_a_truncated_picture_is_refused(tmp_path):
    path = save(tmp_path / "me.png")
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(UserError, match="cannot be read"):
        load_still(path, 64)


def test_other_decoders_are_not_asked(tmp_path):
    path = tmp_path / "me.png"
    Image.new("RGB", (96, 96)).save(path, "TIFF")
    with pytest.raises(UserError, match="cannot be read"):
        load_still(path, 64)


def test_a_bomb_is_refused_before_it_is_decoded(tmp_path):
    path = tmp_path / "me.png"
    Image.new("1", (20000, 20000)).save(path)
    with pytest.raises(UserError, match="pixels"):
        load_still(path, 64)


def test_a_file_that_is_too_large_is_not_opened(tmp_path):
    path = tmp_path / "me.png"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(UserError, match="larger than"):
        load_still(path, 64)
