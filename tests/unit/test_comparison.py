"""What rose is told apart from noise, and the layer that did it is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from edgec.pipeline.cli import main
from edgec.pipeline.errors import MeasurementError, UsageError
from edgec.pipeline.report.baseline import baseline_path, find_baseline, save_baseline
from edgec.pipeline.report.comparison import Limits, compare
from edgec.pipeline.report.document import as_json
from edgec.pipeline.report.significance import rise_probability
from tests.support.documents import measured


def times(median: float, seed: int, n: int = 60, spread: float = 0.01) -> list[int]:
    rng = np.random.default_rng(seed)
    return [int(t) for t in median * (1 + np.abs(rng.normal(0, spread, n)))]


def test_an_identical_rerun_is_no_regression() -> None:
    found = compare(measured(), measured(), Limits(0, 0))
    assert found.exact and found.regressions == ()
    assert all(layer.rise == 0 for layer in found.layers)


def test_two_percent_in_one_layer_are_found_where_the_whole_hardly_moves() -> None:
    after = measured((40_000, 30_000, 5_100))
    found = compare(measured(), after)
    assert found.total is not None and found.total.relative < 0.002 and not found.total.regressed
    assert found.regressions == (
        "layer 2 FULLY_CONNECTED (edgec_fully_connected_int8): 5,000 -> 5,100 (+2.00%), "
        "100% of the change",
    )


def test_the_worst_layer_is_blamed_first() -> None:
    found = compare(measured(), measured((44_000, 30_600, 5_000)))
    assert found.regressions[0] == "instructions: 75,000 -> 79,600 (+6.13%)"
    assert [text.split(" (")[0] for text in found.regressions[1:]] == [
        "layer 0 CONV_2D",
        "layer 1 DEPTHWISE_CONV_2D",
    ]
    assert "87% of the change" in found.regressions[1]


@pytest.mark.parametrize(("count", "regressed"), [(30_300, False), (30_301, True)])
def test_a_rise_of_exactly_the_limit_is_borne(count: int, regressed: bool) -> None:
    assert bool(compare(measured(), measured((40_000, count, 5_000))).regressions) is regressed


def test_work_may_move_between_layers_if_the_whole_is_faster() -> None:
    assert compare(measured(), measured((30_000, 33_000, 5_000))).regressions == ()


def test_layers_that_came_and_went_are_paired() -> None:
    after = measured()
    gone = after["layers"].pop(1)
    for number, layer in enumerate(after["layers"]):
        layer["index"] = number
    found = compare(measured(), after)
    assert [(c.index_before, c.index_after) for c in found.layers] == [(0, 0), (1, None), (2, 1)]
    back = compare(after, measured())
    assert [(c.index_before, c.index_after) for c in back.layers] == [(0, 0), (None, 1), (1, 2)]
    assert back.layers[1].rise == gone["count"]
    assert "(new)" in back.layers[1].describe()


@pytest.mark.parametrize(
    ("place", "key", "value", "said"),
    [
        ("memory", "flash_bytes", 16_161, "flash: 16,000 -> 16,161 (+1.01%)"),
        ("memory", "stack_bytes", 500, "stack: 400 -> 500 (+25.00%)"),
        ("accuracy", "device", 0.96, "accuracy: 98.00% -> 96.00%"),
    ],
)
def test_sizes_and_accuracy_are_judged_too(place: str, key: str, value: float, said: str) -> None:
    after = measured()
    after[place][key] = value
    assert compare(measured(), after).regressions == (said,)
    assert compare(after, measured()).regressions == ()


def test_noise_is_no_regression_but_a_slower_program_is() -> None:
    before = measured(unit="ns", samples=times(75_000, 1))
    for seed in range(2, 12):
        again = compare(before, measured(unit="ns", samples=times(75_000, seed)))
        assert not again.exact and again.regressions == ()
    slower = compare(before, measured((40_000, 40_000, 5_000), unit="ns", samples=times(82_000, 3)))
    assert slower.total is not None and slower.total.chance is not None
    assert slower.total.chance < 1e-6
    assert slower.regressions[0].startswith("ns: ")
    assert slower.regressions[1].startswith("layer 1 DEPTHWISE_CONV_2D")


def test_a_significant_rise_below_the_limit_for_times_is_borne() -> None:
    before = measured(unit="ns", samples=times(75_000, 1))
    assert compare(before, measured(unit="ns", samples=times(77_000, 2))).regressions == ()


def test_a_large_rise_within_the_spread_is_borne() -> None:
    wide = [measured(unit="ns", samples=times(m, s, spread=0.5)) for m, s in ((100, 1), (108, 2))]
    assert compare(*wide).regressions == ()


def test_cycles_are_exact_if_they_repeat_themselves() -> None:
    def cycles(*samples: int) -> dict[str, Any]:
        return measured(unit="cycles", samples=samples)

    assert compare(cycles(100, 100, 100), cycles(102, 102, 102)).exact
    assert compare(cycles(100, 100, 100), cycles(102, 102, 102)).regressions
    noisy = compare(cycles(100, 101, 100), cycles(102, 102, 102))
    assert not noisy.exact and noisy.regressions == ()


@pytest.mark.parametrize("sizes", [(3, 3), (5, 8), (40, 60), (200, 30)])
@pytest.mark.parametrize("ties", [False, True])
def test_the_p_value_is_that_of_scipy(sizes: tuple[int, int], ties: bool) -> None:
    rng = np.random.default_rng(sum(sizes))
    for shift in (0, 1, 3):
        one, two = rng.normal(10, 2, sizes[0]), rng.normal(10 + shift, 2, sizes[1])
        if ties:
            one, two = one.round(), two.round()
        few = sizes in ((3, 3), (5, 8))
        if few and ties:
            continue  # scipy's exact p values are wrong where there are ties
        method = "exact" if few else "asymptotic"
        wanted = mannwhitneyu(two, one, alternative="greater", method=method).pvalue
        assert rise_probability(one, two) == pytest.approx(wanted, rel=1e-9, abs=1e-300)


def test_equal_samples_say_nothing() -> None:
    assert rise_probability([5] * 3, [5] * 3) == 1
    assert rise_probability([5] * 50, [5] * 50) == 1


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("model", lambda d: d["model"].update(name="ad")),
        ("target", lambda d: d["target"].update(hz=1)),
        ("toolchain", lambda d: d["build"].update(compiler="arm-none-eabi-gcc 13.2.1")),
        ("unit", lambda d: d["latency"].update(unit="cycles")),
    ],
)
def test_what_cannot_be_compared_is_refused_unless_told(what: Any, change: Any) -> None:
    other = measured()
    change(other)
    with pytest.raises(UsageError, match=f"cannot be compared, {what}: ") as error:
        compare(measured(), other)
    assert error.value.hint == f"say --allow {what} if that is meant"
    found = compare(measured(), other, allowed=(what,))
    assert any(note.startswith(f"another {what}") for note in found.notes)
    assert (found.total is None) is (what == "unit")


def test_an_invalid_result_is_not_compared() -> None:
    with pytest.raises(MeasurementError, match="the second result is not valid: slow"):
        compare(measured(), measured(invalid=("slow",)))


def test_a_baseline_is_found_by_model_target_and_toolchain(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no baseline of kws on cortex-m4") as error:
        find_baseline(tmp_path, measured())
    assert error.value.hint == f"edgec baseline save --to {tmp_path} RESULT"
    path = save_baseline(tmp_path, measured())
    assert path.relative_to(tmp_path).as_posix() == (
        "kws/cortex-m4/arm-none-eabi-gcc-12.2.1-aot-balanced-tflite.json"
    )
    assert find_baseline(tmp_path, measured((1, 2, 3))) == measured()
    other = measured(compiler="../../etc gcc 1")
    assert baseline_path(tmp_path, other).resolve().is_relative_to(tmp_path)
    with pytest.raises(MeasurementError, match="no baseline: slow"):
        save_baseline(tmp_path, measured(invalid=("slow",)))


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stop:
        main([str(word) for word in words])
    said = capsys.readouterr()
    return int(stop.value.code or 0), said.out, said.err


def test_the_command_exits_6_and_names_the_layer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, after, base = tmp_path / "a.json", tmp_path / "b.json", tmp_path / "base"
    before.write_text(as_json(measured()))
    after.write_text(as_json(measured((40_000, 30_600, 5_000))))
    assert run(capsys, "compare", before, before)[0] == 0
    code, out, err = run(capsys, "compare", before, after)
    assert code == 6 and "30,600" in out
    assert err.startswith("regression: layer 1 DEPTHWISE_CONV_2D")
    assert run(capsys, "compare", "--fail-above", "3%", before, after)[0] == 0
    assert run(capsys, "compare", before)[0] == 2
    assert run(capsys, "compare", "--fail-above", "1.5.2", before, after)[0] == 2

    assert run(capsys, "compare", "--baseline", base, after)[0] == 2
    assert run(capsys, "baseline", "save", "--to", base, before)[0] == 0
    code, out, _ = run(capsys, "compare", "--json", "--baseline", base, before, after)
    assert code == 6
    assert [len(c["regressions"]) for c in json.loads(out)["comparisons"]] == [0, 1]
    assert "75,000 instructions" in run(capsys, "baseline", "list", base)[1]
