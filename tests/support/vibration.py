"""A generated vibration signal of a rolling bearing with a fault, for Conv1D networks.

An accelerometer on a bearing's housing hears the shaft's turning, noise, and, where a race or a
ball is damaged, an impact each time the damage is rolled over. The rate of the impacts follows
from the bearing's geometry and the speed of the shaft; each impact lets the housing ring at its
resonance and die away:

| class | | impacts per turn | |
| --- | --- | --- | --- |
| 0 | sound | none | |
| 1 | outer race | 3.58 | all alike, as the race does not turn |
| 2 | inner race | 5.42 | stronger and weaker once a turn, as the damage turns through the load |
| 3 | ball | 4.71 | stronger and weaker with the cage, 0.4 times a turn |

The rates are those of the much-studied bearing SKF 6205 (outer, inner, and ball at twice its
spin). Each recording is of another machine: its own speed, resonance, damping, strength of the
fault and noise. A window is a stretch of a recording, so windows of one recording are related:
`group` is the recording, and only a split by group measures what a new machine would see.
"""

from __future__ import annotations

import numpy as np

RATE_HZ = 4096
WINDOW = 512
CLASSES = ("sound", "outer race", "inner race", "ball")

_IMPACTS_PER_TURN = (0.0, 3.585, 5.415, 4.714)
_CAGE_PER_TURN = 0.398


def vibration_arrays(
    recordings: int = 48, windows: int = 8, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return x (count, 512, 1) in float32 of unit RMS, y and group; the same for the same seed.

    There are `recordings` of each class, of so many windows that half overlap.
    """
    rng = np.random.default_rng(seed)
    x, y, group = [], [], []
    for number in range(recordings * len(CLASSES)):
        label = number % len(CLASSES)
        signal = _recording(label, (windows + 1) * WINDOW // 2, rng)
        for start in range(0, windows * WINDOW // 2, WINDOW // 2):
            window = signal[start : start + WINDOW]
            x.append(window / np.sqrt(np.mean(window**2)))
            y.append(label)
            group.append(number)
    return np.array(x, np.float32)[..., np.newaxis], np.array(y), np.array(group)


def _recording(label: int, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return an acceleration of `count` samples of one machine."""
    shaft_hz = rng.uniform(27.0, 33.0)
    time = np.arange(count) / RATE_HZ
    turns = shaft_hz * time + rng.uniform()
    signal = rng.normal(scale=rng.uniform(0.15, 0.3), size=count)
    for harmonic, strength in ((1, 0.3), (2, 0.15), (3, 0.1)):
        phase = rng.uniform(0, 2 * np.pi)
        signal += strength * rng.uniform(0.5, 1) * np.sin(2 * np.pi * harmonic * turns + phase)
    if label:
        signal += rng.uniform(1.5, 2.5) * _impacts(label, shaft_hz, turns, time, rng)
    return np.asarray(signal)


def _impacts(
    label: int, shaft_hz: float, turns: np.ndarray, time: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Return the ringing after each impact, of strength 1."""
    period_s = 1 / (shaft_hz * _IMPACTS_PER_TURN[label])
    at = np.arange(rng.uniform(0, period_s), time[-1], period_s)
    at = at + rng.normal(scale=0.01 * period_s, size=len(at))  # rolling elements slip a little
    strength = rng.uniform(0.9, 1.1, len(at))
    turned = shaft_hz * at + turns[0]
    if label == 2:
        strength *= 1 + 0.6 * np.cos(2 * np.pi * turned)
    elif label == 3:
        strength *= 1 + 0.6 * np.cos(2 * np.pi * _CAGE_PER_TURN * turned)
    resonance_hz, decay_s = rng.uniform(1100.0, 1400.0), rng.uniform(0.8e-3, 1.2e-3)
    since = time[:, np.newaxis] - at
    heard = np.where(since > 0, np.exp(-np.clip(since, 0, None) / decay_s), 0.0)
    return np.asarray((strength * heard * np.sin(2 * np.pi * resonance_hz * since)).sum(axis=1))
