"""Backends: each profile's are there, and their contracts hold what they say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from edgec.pipeline import driver
from edgec.pipeline.backends.base import backend_names, find_backend
from edgec.pipeline.cli.build import command
from edgec.pipeline.driver import build
from edgec.pipeline.errors import UsageError
from edgec.pipeline.options import BuildOptions
from edgec.pipeline.verify import EXACT, Tolerance, first_difference
from edgec.targets.profile import BACKENDS
from tests.support.models import small_cnn


def test_every_backend_of_a_profile_is_a_module() -> None:
    assert set(backend_names()) <= set(BACKENDS)
    for name in backend_names():
        assert callable(find_backend(name).build)


def test_an_unknown_backend_is_refused(tmp_path: Path) -> None:
    model = tmp_path / "small.tflite"
    model.write_bytes(small_cnn())
    with pytest.raises(UsageError, match="'rust' does not build for it") as caught:
        build(model, target="cortex-m4", backend="rust", out=tmp_path / "out")
    assert "backends of cortex-m4: aot" in caught.value.hint
    with pytest.raises(UsageError, match="unknown backend 'base'"):
        find_backend("base")


@pytest.mark.parametrize(
    ("target", "asked", "backend"),
    [("cortex-m4", (), None), ("x86", (), "auto"), ("cortex-m4", ("--backend", "auto"), "auto")],
)
def test_backends_compete_for_computers_and_where_they_are_told_to(
    target: str, asked: tuple[str, ...], backend: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Begun(Exception):
        pass

    def begin(model: Path, options: BuildOptions, progress: object) -> None:
        assert options.backend == backend
        raise Begun

    monkeypatch.setattr(driver, "build_model", begin)
    done = CliRunner().invoke(command, ["model.tflite", "--target", target, *asked])
    assert isinstance(done.exception, Begun)


def test_exact_allows_nothing() -> None:
    want = np.array([[1, -128], [3, 127]], np.int8)
    assert first_difference(want.copy(), want, EXACT) is None
    got = want.copy()
    got[1, 0] = 4
    assert first_difference(got, want, EXACT) == (1, 0)
    assert str(EXACT) == "byte for byte" and EXACT.exact


def test_steps_are_counted_without_wrapping() -> None:
    want = np.array([127, -128, 5], np.int8)
    one = Tolerance(steps=1)
    assert first_difference(np.array([126, -127, 4], np.int8), want, one) is None
    assert first_difference(np.array([127, -128, 7], np.int8), want, one) == (2,)
    assert first_difference(np.array([-128, -128, 5], np.int8), want, one) == (0,)
    assert str(one) == "within 1 step" and not one.exact


def test_floats_may_differ_by_a_share_of_the_largest() -> None:
    want = np.array([100, 0.001], np.float32)
    allowed = Tolerance(share=1e-5)
    assert first_difference(want + np.float32(9e-4), want, allowed) is None
    assert first_difference(want + np.float32(2e-3), want, allowed) == (0,)
    assert first_difference(np.array([100, np.nan], np.float32), want, allowed) == (1,)
    assert first_difference(np.array([100, 0.00101], np.float32), want, EXACT) == (1,)
