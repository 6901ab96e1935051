"""What every registered editor says of itself, and what those that can run here do."""

import pytest
import torch

from vdf_bench.core import registry

EDITORS = [name for name in registry.names("victims") if "editor" in registry.load("victims", name).card.tags]
SHIPPED = ("stargan-synth", "attgan-synth")


def test_six_editors_are_registered():
    assert set(EDITORS) == {*SHIPPED, "stargan", "attgan", "hisd", "attentiongan"}
    for name in EDITORS:
        card = registry.load("victims", name).card
        assert card.name == name and card.source and card.url.startswith("https://") and card.needs
        assert ("official" in card.tags) == (name not in SHIPPED)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_editor_changes_what_it_is_asked_to(name):
    editor = registry.create("victims", name).load()
    torch.manual_seed(1)
    picture = torch.rand(1, 3, 128, 128)
    edits = torch.cat([editor.edit(picture, edit) for edit in editor.edits])
    assert edits.shape == (len(editor.edits), 3, editor.size, editor.size)
    assert edits.min() >= 0 and edits.max() <= 1
    apart = [(a - b).abs().max() for k, a in enumerate(edits) for b in edits[k + 1 :]]
    assert min(apart) > 0.02
    assert torch.equal(editor.edit(picture, "glasses"), editor.edit(picture, "glasses"))
