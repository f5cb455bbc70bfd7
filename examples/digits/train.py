"""Train the example: a small CNN on scikit-learn's handwritten digits, exported to ONNX.

Writes digits.onnx, calibration.npz and test.npz beside this file. See README.md.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import onnx
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn

HERE = Path(__file__).parent
SEED = 1
EPOCHS = 60
BATCH = 64
TEST_SAMPLES = 360
CALIBRATION_SAMPLES = 200


def conv(inputs: int, outputs: int, kernel: int, groups: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )


class Separable(nn.Module):
    """A depthwise-separable block with a residual connection round it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv(channels, channels, 3, groups=channels),
            nn.Conv2d(channels, channels, 1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.body(x))


class DigitsNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            conv(1, 16, 3),
            Separable(16),
            nn.MaxPool2d(2),
            conv(16, 32, 3),
            Separable(32),
            nn.MaxPool2d(2),
        )
        self.classifier = nn.Linear(32 * 2 * 2, 10)

    def forward(self, image: Tensor) -> Tensor:
        return self.classifier(torch.flatten(self.features(image), 1))


def shifted(images: Tensor, generator: torch.Generator) -> Tensor:
    """Move each batch by up to a pixel, so that the net does not learn exact positions."""
    down, right = torch.randint(-1, 2, (2,), generator=generator).tolist()
    padded = nn.functional.pad(images, (1, 1, 1, 1))
    return padded[:, :, 1 + down : 9 + down, 1 + right : 9 + right]


def train(model: nn.Module, images: Tensor, labels: Tensor) -> None:
    generator = torch.Generator().manual_seed(SEED)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    steps = EPOCHS * -(-len(images) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=steps)
    model.train()
    for _ in range(EPOCHS):
        for chosen in torch.randperm(len(images), generator=generator).split(BATCH):
            logits = model(shifted(images[chosen], generator))
            loss = nn.functional.cross_entropy(logits, labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    model.eval()


def export(model: nn.Module, path: Path) -> None:
    program = torch.onnx.export(
        model,
        (torch.zeros(1, 1, 8, 8),),
        input_names=["image"],
        output_names=["logits"],
        opset_version=18,
        dynamo=True,
        verbose=False,
    )
    assert program is not None
    proto = program.model_proto
    # The exporter notes Python stack traces with this machine's paths at every node.
    for entry in (*proto.graph.node, *proto.graph.input, *proto.graph.output, proto.graph):
        del entry.metadata_props[:]
        entry.doc_string = ""
    for value in (*proto.graph.value_info, *proto.graph.initializer):
        del value.metadata_props[:]
    onnx.helper.set_model_props(proto, {"edgec.input_range": "0,1"})
    onnx.checker.check_model(proto, full_check=True)
    path.write_bytes(proto.SerializeToString(deterministic=True))


def main() -> None:
    torch.manual_seed(SEED)
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(1)
    pixels, digits = load_digits(return_X_y=True)
    images = (pixels / 16.0).astype(np.float32).reshape(-1, 1, 8, 8)
    x_train, x_test, y_train, y_test = train_test_split(
        images, digits, test_size=TEST_SAMPLES, stratify=digits, random_state=SEED
    )
    model = DigitsNet()
    start = time.perf_counter()
    train(model, torch.from_numpy(x_train), torch.from_numpy(y_train))
    with torch.no_grad():
        answers = model(torch.from_numpy(x_test)).argmax(1).numpy()
    right = int((answers == y_test).sum())
    parameters = sum(p.numel() for p in model.parameters())
    print(f"{parameters} parameters, trained in {time.perf_counter() - start:.1f} s")
    print(f"float accuracy {right}/{len(y_test)} = {right / len(y_test):.2%} on held-out digits")
    export(model, HERE / "digits.onnx")
    np.savez_compressed(HERE / "calibration.npz", image=x_train[:CALIBRATION_SAMPLES])
    np.savez_compressed(HERE / "test.npz", x=x_test, y=y_test.astype(np.uint8))


if __name__ == "__main__":
    main()
