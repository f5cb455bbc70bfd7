"""Makes the PyTorch-exported models under tests/models, with seeded random weights.

    python tools/export_torch_models.py [FOLDER]

Needs `torch`, `onnx` and `onnxscript` in an environment of its own; edgec does not depend on them.
The files committed were made with torch 2.13.0. Both exporters are used, the one that traces
TorchScript and the newer one that traces FX graphs.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional


class Residual(nn.Module):
    """A residual network whose batch normalisation stays in the file."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 12, 3, stride=2, padding=1, bias=False)
        self.stem_norm = nn.BatchNorm2d(12)
        self.first = nn.Conv2d(12, 12, 3, padding=1, bias=False)
        self.first_norm = nn.BatchNorm2d(12)
        self.second = nn.Conv2d(12, 20, 3, stride=2, padding=1)
        self.second_norm = nn.BatchNorm2d(20)
        self.shortcut = nn.Conv2d(12, 20, 1, stride=2)
        self.head = nn.Linear(20 * 3 * 3, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return class probabilities of (batch, 3, 24, 24)."""
        x = (x - 0.5) / 0.25
        x = functional.relu(self.stem_norm(self.stem(x)))
        x = x + functional.relu(self.first_norm(self.first(x)))
        x = functional.relu(self.second_norm(self.second(x)) + self.shortcut(x))
        x = functional.max_pool2d(x, 3, stride=2, padding=1)
        x = functional.avg_pool2d(x, 3, stride=1, padding=1)
        return functional.softmax(self.head(torch.flatten(x, 1)), dim=1)


class Squeeze(nn.Module):
    """Squeeze and excitation."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.down = nn.Conv2d(channels, channels // 4, 1)
        self.up = nn.Conv2d(channels // 4, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Scale each channel."""
        scale = functional.adaptive_avg_pool2d(x, 1)
        scale = functional.hardsigmoid(self.up(functional.relu(self.down(scale))))
        return x * scale


class Separable(nn.Module):
    """A depthwise separable network as of MobileNetV3, with a decoder that upsamples."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 16, 3, stride=2, padding=1)
        self.depthwise = nn.Conv2d(16, 16, 5, padding=2, groups=16, bias=False)
        self.norm = nn.BatchNorm2d(16)
        self.squeeze = Squeeze(16)
        self.pointwise = nn.Conv2d(16, 24, 1)
        self.grouped = nn.Conv2d(24, 24, 3, padding=2, dilation=2, groups=4)
        self.slope = nn.PReLU(24)
        self.decoder = nn.ConvTranspose2d(24, 8, 4, stride=2, padding=1)
        self.out = nn.Conv2d(8, 4, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return a map (batch, 1, 40, 40) of (batch, 1, 20, 20)."""
        x = functional.hardswish(self.stem(x))
        x = functional.hardswish(self.norm(self.depthwise(x)))
        x = self.pointwise(self.squeeze(x))
        left, right = torch.chunk(self.slope(self.grouped(x)), 2, dim=1)
        x = torch.cat([right, functional.gelu(left)], dim=1)
        x = functional.silu(self.decoder(x))
        x = functional.interpolate(x, scale_factor=1.0)
        return functional.pixel_shuffle(self.out(x), 2).clamp(-1, 1)


class Sequence(nn.Module):
    """A one-dimensional convolution, a GRU both ways, an LSTM, and layer normalisation."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(6, 16, 5, padding=2)
        self.norm = nn.BatchNorm1d(16)
        self.gru = nn.GRU(16, 12, batch_first=True, bidirectional=True)
        self.lstm = nn.LSTM(24, 14, batch_first=True)
        self.layer_norm = nn.LayerNorm(14)
        self.head = nn.Linear(14, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return scores of (batch, 6, 32)."""
        x = functional.max_pool1d(functional.elu(self.norm(self.conv(x))), 2)
        x, _ = self.gru(x.transpose(1, 2))
        x, _ = self.lstm(x)
        return self.head(self.layer_norm(x[:, -1]))


@dataclass(frozen=True)
class Export:
    """One model to export."""

    name: str
    make: Callable[[], nn.Module]
    shape: tuple[int, ...]
    options: dict[str, Any]


EXPORTS = (
    Export(
        "torch_residual",
        Residual,
        (1, 3, 24, 24),
        {
            "dynamo": False,
            "opset_version": 13,
            "do_constant_folding": False,
            "training": torch.onnx.TrainingMode.PRESERVE,
            "dynamic_axes": {"x": {0: "batch"}},
        },
    ),
    Export("torch_separable", Separable, (1, 1, 20, 20), {"dynamo": True}),
    Export("torch_sequence", Sequence, (1, 6, 32), {"dynamo": False, "opset_version": 17}),
)


def settle(model: nn.Module) -> nn.Module:
    """Give batch normalisation statistics of its own, and return the model for inference."""
    for module in model.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            nn.init.normal_(module.running_mean, 0.0, 0.2)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0.0, 0.2)
    return model.eval()


def main(folder: Path) -> None:
    """Write every model into `folder`."""
    for item in EXPORTS:
        torch.manual_seed(1)
        model = settle(item.make())
        options = dict(item.options)
        if options["dynamo"]:
            options["external_data"] = False
        path = folder / f"{item.name}.onnx"
        example = torch.zeros(item.shape)
        torch.onnx.export(model, (example,), str(path), input_names=["x"], **options)
        print(f"{path} {path.stat().st_size} bytes")


if __name__ == "__main__":
    default = Path(__file__).resolve().parent.parent / "tests" / "models"
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else default)
