"""The generated vibration is what its description says."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.vibration import CLASSES, RATE_HZ, WINDOW, vibration_arrays

COUNT = 24


def envelope_spectrum(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return frequencies and the mean spectrum of how strongly the resonance rings."""
    size = 16 * WINDOW
    bins = np.fft.rfftfreq(WINDOW, 1 / RATE_HZ)
    spectrum = np.fft.rfft(x[..., 0])
    spectrum[:, (bins < 900) | (bins > 1600)] = 0
    ringing = np.fft.irfft(spectrum) ** 2
    ringing -= ringing.mean(axis=1, keepdims=True)
    power = np.abs(np.fft.rfft(ringing * np.hanning(WINDOW), size)).mean(axis=0)
    return np.fft.rfftfreq(size, 1 / RATE_HZ), power


def test_the_same_seed_gives_the_same_signal() -> None:
    one, other = vibration_arrays(2, 3), vibration_arrays(2, 3)
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
    assert not np.array_equal(one[0], vibration_arrays(2, 3, seed=1)[0])


def test_windows_are_of_unit_strength_and_know_their_recording() -> None:
    x, y, group = vibration_arrays(3, 4)
    assert x.shape == (3 * 4 * len(CLASSES), WINDOW, 1)
    assert x.dtype == np.float32
    assert np.allclose(np.sqrt((x**2).mean(axis=1)), 1, atol=1e-5)
    assert np.array_equal(np.bincount(group), np.full(12, 4))
    assert all(len(set(y[group == number])) == 1 for number in range(12))


@pytest.mark.parametrize(("label", "per_turn"), [(1, 3.585), (2, 5.415), (3, 4.714)])
def test_a_fault_rings_at_its_rate(label: int, per_turn: float) -> None:
    x, y, _ = vibration_arrays(COUNT, 4)
    bins, power = envelope_spectrum(x[y == label])
    looked_at = (bins > 60) & (bins < 240)
    peak = bins[looked_at][power[looked_at].argmax()]
    assert 27 * per_turn * 0.97 < peak < 33 * per_turn * 1.03
