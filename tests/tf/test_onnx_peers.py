"""The int8 file that ONNX Runtime is measured with: the same network, in integers throughout."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from edgec.pipeline.backends import onnxruntime as backend
from edgec.pipeline.errors import UnsupportedModelError
from edgec.pipeline.onnx_oracle import OnnxOracle, is_quantized, onnx_ports
from edgec.pipeline.options import BuildOptions
from edgec.pipeline.oracle import LiteRtOracle
from edgec.pipeline.subject import Subject
from edgec.pipeline.trial import random_samples
from edgec.pipeline.verify import verify_device
from edgec.targets.profile import load_target
from edgec.targets.session import open_device
from tests.support.models import small_cnn
from tools import onnx_peers

FLOATS = Path(__file__).parents[1] / "models" / "torch_residual.onnx"


def with_bias_scales(content: bytes) -> bytes:
    """Return an int8 `.tflite` whose biases say what they are worth, as a converter writes them."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    tensors = model.subgraphs[0].tensors
    for op in model.subgraphs[0].operators:
        if len(op.inputs) == 3:
            x, weights, bias = (tensors[i] for i in op.inputs)
            scales = [x.quantization.scale[0] * scale for scale in weights.quantization.scale]
            bias.quantization = schema.QuantizationParametersT()
            bias.quantization.scale, bias.quantization.zeroPoint = scales, [0] * len(scales)
    builder = flatbuffers.Builder(0)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


@pytest.fixture(scope="module")
def lowered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("peer") / "small.tflite"
    path.write_bytes(with_bias_scales(small_cnn()))
    return path


@pytest.fixture(scope="module")
def peer(lowered: Path) -> Path:
    return onnx_peers.integer_peer(lowered, lowered.with_suffix(".onnx"))


def test_its_kernels_are_of_integers(peer: Path, tmp_path: Path) -> None:
    import onnx
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "as_run.onnx")
    onnxruntime.InferenceSession(str(peer), options)
    nodes = {node.op_type for node in onnx.load(options.optimized_model_filepath).graph.node}
    assert "QLinearConv" in nodes and not {"Conv", "MatMul", "Gemm"} & nodes


def test_the_backend_runs_it_byte_for_byte(lowered: Path, peer: Path, tmp_path: Path) -> None:
    target = load_target("x86")
    subject = Subject(lowered, lowered, "small", target, BuildOptions(), lambda p: None, peer)
    built = backend.build(subject, tmp_path)
    assert built.oracle.name == "ONNX Runtime, the same kernels" and is_quantized(peer)
    samples = random_samples(built.ports, 3)
    with open_device(built.image(), target) as device:
        allowed = built.allowed
        checked, _ = verify_device(
            device, built.ports, built.oracle, samples, "x86", allowed=allowed
        )
    assert checked.samples == 3
    reference = LiteRtOracle(lowered.read_bytes())
    assert onnx_peers.mean_error(built.oracle, reference, samples) < onnx_peers.LARGEST_ERROR


def test_a_file_that_answers_otherwise_is_refused(
    peer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other.tflite"
    other.write_bytes(with_bias_scales(small_cnn(seed=1)))
    monkeypatch.setattr(onnx_peers, "_convert", lambda path, out: shutil.copyfile(peer, out))
    out = tmp_path / "peer.onnx"
    with pytest.raises(UnsupportedModelError, match="of the range off LiteRT, reference kernels"):
        onnx_peers.integer_peer(other, out)
    assert not out.exists()


def test_a_file_that_is_no_legal_onnx_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import onnx

    model = onnx.load(str(FLOATS))
    model.graph.node[0].op_type = "Novel"
    broken = tmp_path / "broken.onnx"
    onnx.save(model, str(broken))
    monkeypatch.setattr(onnx_peers, "_convert", lambda path, out: shutil.copyfile(broken, out))
    lowered = tmp_path / "small.tflite"
    lowered.write_bytes(small_cnn())
    for make in (onnx_peers.integer_peer, onnx_peers.float_peer):
        with pytest.raises(UnsupportedModelError, match=r"is no model that .* Novel"):
            make(lowered, tmp_path / "out.onnx")


def test_what_cannot_be_converted_says_so(tmp_path: Path) -> None:
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(b"nothing")
    with pytest.raises(UnsupportedModelError, match=r"tf2onnx cannot convert broken\.tflite: ."):
        onnx_peers.float_peer(broken, tmp_path / "out.onnx")


def test_dynamic_range_is_of_the_float_file(tmp_path: Path) -> None:
    peer = onnx_peers.dynamic_peer(FLOATS, tmp_path / "dynamic.onnx")
    assert is_quantized(peer) and not is_quantized(FLOATS)
    ports = onnx_ports(peer, "peer")
    (sample,) = random_samples(ports, 1)
    (got,), (want,) = OnnxOracle(peer, ports).run(sample), OnnxOracle(FLOATS, ports).run(sample)
    assert 0 < np.abs(got - want).max() < 0.1 * np.abs(want).max()
