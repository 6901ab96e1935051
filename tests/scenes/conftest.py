import pytest

from vdf_bench.scenes.head import Head
from vdf_bench.scenes.identity import sample_identity
from vdf_bench.scenes.synth import SynthClips


@pytest.fixture(scope="session")
def head():
    return Head.build(sample_identity(3))


@pytest.fixture(scope="session")
def clip():
    return SynthClips().load("synth-a", 96, 30)
