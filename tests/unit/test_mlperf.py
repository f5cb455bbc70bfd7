"""Sessions of MLPerf Tiny without a board: data sets, scores, windows, files, and a bad line."""

from __future__ import annotations

import json
import re
import time
import zlib
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from edgec.codegen.mlperf import TASKS, Port, find_task
from edgec.pipeline.errors import DataError, DeviceError, InfrastructureError, MeasurementError
from edgec.pipeline.mlperf.dataset import Dataset, Entry, open_dataset
from edgec.pipeline.mlperf.files import SessionFiles
from edgec.pipeline.mlperf.scores import score
from edgec.pipeline.mlperf.session import Session
from edgec.targets.device_protocol import DeviceResetError
from edgec.targets.mlperf_device import MlperfDevice, Waits

TASK = {task.model: task for task in TASKS}
KWS, AD = TASK["kws01"], TASK["ad01"]
QUICK = Waits(line_s=0.05, infer_s=0.2, probe_s=0.05)
BOOT = b"m-timestamp-mode-performance\r\nm-lap-us-0\r\nm-init-done\r\nm-ready\r\n"


class FakeBoard:
    """Answers as firmware does; one inference takes `inference_us` of its own clock.

    `spoil` may change what the host sends; `clock` is how much faster time goes there.
    """

    def __init__(self, inference_us: int = 1000, sha256: str = "ab" * 32) -> None:
        self.inference_us = inference_us
        self.sha256 = sha256
        self.now_us = 0
        self.data = b""
        self.size = 0
        self.answers = BOOT
        self.commands: list[str] = []
        self.spoil = lambda data: data
        self.sleep_s = 0.0
        self.results = "0.250,0.750"
        self._text = b""

    def write(self, data: bytes) -> None:
        *whole, self._text = (self._text + self.spoil(data)).split(b"%")
        for raw in whole:
            text = raw.decode("ascii", errors="replace")
            self.commands.append(text)
            lines = [*self._answer(text), "m-ready"]
            self.answers += "".join(f"{line}\r\n" for line in lines).encode()

    def read(self, timeout_s: float) -> bytes:
        if not self.answers:
            time.sleep(min(timeout_s, 0.01))
        data, self.answers = self.answers, b""
        return data

    def close(self) -> None:
        pass

    def _answer(self, text: str) -> list[str]:
        match text.split():
            case ["name"]:
                return ["m-name-dut-[fake]"]
            case ["profile"]:
                return ["m-profile-[ULPMark]", "m-model-[kws01]"]
            case ["xid"] if self.sha256:
                return [f"m-xid-[model={self.sha256},build=1,target=none,timer=dwt,hz=1000000]"]
            case ["xcrc"]:
                return [f"m-xcrc-[{zlib.crc32(self.data):08x}]"]
            case ["db", "load", size] if size.isdecimal():
                self.data, self.size = b"", int(size)
                return [f"m-[Expecting {size} bytes]"]
            case ["db", digits] if re.fullmatch(r"([0-9a-f]{2})+", digits):
                self.data += bytes.fromhex(digits)
                return ["m-load-done"] if len(self.data) == self.size else []
            case ["results"]:
                return [f"m-results-[{self.results}]"]
            case ["infer", count, _]:
                start = self.now_us
                self.now_us += int(count) * self.inference_us
                laps = [f"m-lap-us-{start}", f"m-lap-us-{self.now_us}"]
                return [*laps, "m-infer-done", f"m-results-[{self.results}]"]
            case _:
                return [f"e-[Unknown command: {text}]"]


def device_on(board: FakeBoard) -> MlperfDevice:
    return MlperfDevice(board, QUICK)


def write_labels(folder: Path, lines: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "y_labels.csv").write_text(lines)
    return folder


def dataset(folder: Path, count: int = 3) -> Dataset:
    write_labels(folder, "".join(f"{n}.bin,12,{n % 2}\n" for n in range(count)))
    for number in range(count):
        (folder / f"{number}.bin").write_bytes(bytes([number]) * 490)
    return open_dataset(folder, KWS)


def test_a_model_is_known_by_its_shapes() -> None:
    def port(size: int) -> Port:
        return Port(size, 0.1, 0)

    found = [find_task([port(t.inputs)], [port(t.outputs)]) for t in TASKS]
    assert found == list(TASKS)
    assert [t.input_bytes for t in TASKS] == [490, 27648, 3072, 2560]
    assert find_task([port(490)], [port(11)]) is None
    assert find_task([port(490)], [None]) is None
    assert find_task([port(490), port(490)], [port(12)]) is None


def test_a_device_is_found_behind_its_start_text_and_half_a_command() -> None:
    board = FakeBoard()
    board.write(b"db 00")
    identity = device_on(board).identify()
    assert (identity.name, identity.model, identity.timer) == ("fake", "kws01", "dwt")
    assert board.commands[0] == "db 00"


def test_other_firmware_of_the_benchmark_is_spoken_to_as_well() -> None:
    board = FakeBoard(sha256="")
    device = device_on(board)
    assert device.identify().sha256 == ""
    device.load(bytes(490))
    assert "xcrc" not in board.commands
    assert device.expect("kws01", "cd" * 32, "1").name == "fake"


def test_the_wrong_firmware_is_refused() -> None:
    with pytest.raises(DeviceError, match="wrong firmware on board: it runs kws01"):
        device_on(FakeBoard()).expect("kws01", "cd" * 32, "1")
    with pytest.raises(DeviceError, match=r"build 1.* build 2.* wanted"):
        device_on(FakeBoard()).expect("kws01", "ab" * 32, "2")
    with pytest.raises(DeviceError, match="ic01"):
        device_on(FakeBoard()).expect("ic01", "ab" * 32, "1")
    assert device_on(FakeBoard()).expect("kws01", "ab" * 32, "1").timer == "dwt"


def test_silence_is_an_error_that_says_what_to_look_at() -> None:
    board = FakeBoard()
    board.answers = b""
    board.spoil = lambda data: b""
    with pytest.raises(InfrastructureError, match="no answer in 8 tries") as error:
        device_on(board).identify()
    assert "MLPERF=1" in error.value.hint


def test_an_input_that_arrives_damaged_is_sent_again() -> None:
    board = FakeBoard()
    device = device_on(board)
    device.identify()
    turns = iter(range(10_000))

    def flip_once(data: bytes) -> bytes:
        # A digit that is still a digit: only the checksum sees it.
        return data.replace(b"00", b"01", 1) if next(turns) == 5 else data

    board.spoil = flip_once
    device.load(bytes(490))
    assert board.data == bytes(490)
    assert device.retries == 1


def test_a_lost_terminator_costs_a_retry() -> None:
    board = FakeBoard()
    device = device_on(board)
    device.identify()
    turns = iter(range(10_000))
    board.spoil = lambda data: data.replace(b"%", b"") if next(turns) == 3 else data
    device.load(bytes(490))
    assert board.data == bytes(490)


def test_an_input_that_never_arrives_is_an_error() -> None:
    board = FakeBoard()
    device = device_on(board)
    device.identify()
    board.spoil = lambda data: data.replace(b"00", b"0", 1)
    with pytest.raises(InfrastructureError, match="did not arrive in 3 tries"):
        device.load(bytes(490))


def test_results_that_change_when_asked_again_are_refused() -> None:
    board = FakeBoard()
    device = device_on(board)
    device.identify()
    device.load(bytes(490))
    turns = iter(["0.250,0.750", "0.250,0.751"])
    whole = board.write

    def changing(data: bytes) -> None:
        board.results = next(turns)
        whole(data)

    board.write = changing  # type: ignore[method-assign]
    with pytest.raises(InfrastructureError, match="other results when asked again"):
        device.infer(1, 0)


def test_a_reset_is_named() -> None:
    board = FakeBoard()
    device = device_on(board)
    device.identify()
    board.answers = BOOT
    with pytest.raises(DeviceResetError, match="reset before or during 'infer 1 0'"):
        device.infer(1, 0)


def test_the_time_of_an_emulator_that_knows_its_timer_better_is_corrected() -> None:
    device = MlperfDevice(FakeBoard(inference_us=1000), QUICK, timer_hz=4_000_000)
    device.load(bytes(490))
    assert device.infer(8, 0).elapsed_us == 8 * 1000 // 4


def test_windows_grow_until_they_are_long_enough(tmp_path: Path) -> None:
    board = FakeBoard(inference_us=1000)
    lines: list[str] = []
    session = Session(device_on(board), dataset(tmp_path), "QEMU", lines.append)
    assert session.performance() == pytest.approx(1000)
    assert len(session.measured) == 5
    assert all(one.inference.elapsed_us >= 10_000_000 for one in session.measured)
    # The runner's 70 first, ten times as many at most, then enough for ten seconds and a little.
    counts = [int(c.split()[1]) for c in board.commands if c.startswith("infer")]
    assert counts == [1, 70, 700, 7000, *[10500] * 5]
    assert {one.warmup for one in session.measured} == {10}
    assert "  Runtime      :     10.500 sec.  (virtual)" in lines


def test_windows_do_not_outlast_the_runners_patience(tmp_path: Path) -> None:
    board = FakeBoard(inference_us=1_000_000)
    session = Session(device_on(board), dataset(tmp_path), "QEMU", lambda line: None)
    session.performance()
    assert {one.iterations for one in session.measured} == {25}
    board.inference_us = 30_000_000
    session.emulated = ""
    with pytest.raises(MeasurementError, match=r"an inference takes 30\.0 s"):
        session.performance()


def test_a_clock_that_is_not_ours_is_no_measurement(tmp_path: Path) -> None:
    session = Session(device_on(FakeBoard()), dataset(tmp_path), "", lambda line: None)
    with pytest.raises(MeasurementError, match=r"by the device's clock and .* by ours"):
        session.performance()


def test_a_line_that_fails_once_in_a_session_costs_a_retry(tmp_path: Path) -> None:
    board = FakeBoard()
    session = Session(device_on(board), dataset(tmp_path), "QEMU", lambda line: None)
    session.device.identify()
    turns = iter(range(10_000))
    board.spoil = lambda data: b"inf" if b"infer" in data and next(turns) == 1 else data
    assert session.accuracy().inferences == 3
    assert session.device.retries == 1


def test_accuracy_takes_the_whole_data_set(tmp_path: Path) -> None:
    board = FakeBoard()
    scores = Session(device_on(board), dataset(tmp_path), "QEMU", lambda line: None).accuracy()
    assert [c for c in board.commands if c.startswith("infer")] == ["infer 1 0"] * 3
    # The board always says class 1, which is right once in three.
    assert (scores.files, scores.accuracy) == (3, pytest.approx(100 / 3))


def test_scores_are_those_of_the_runner() -> None:
    rng = np.random.default_rng(0)
    labels = [n % 4 for n in range(60)]
    raw = rng.random((60, 4)) + 0.8 * np.eye(4)[labels]
    scores = score([str(n) for n in range(60)], labels, raw.tolist())
    normal = raw / raw.sum(axis=1, keepdims=True)
    assert scores.accuracy == pytest.approx(100 * np.mean(normal.argmax(axis=1) == labels))
    assert scores.auc == pytest.approx(roc_auc_score(labels, normal, multi_class="ovr"))


def test_the_windows_of_a_recording_are_averaged() -> None:
    files = [name for name in "abcd" for _ in range(3)]
    labels = [label for label in (0, 0, 1, 1) for _ in range(3)]
    errors = [1, 2, 3, 4, 4, 4, 3, 3, 9, 9, 9, 9]
    scores = score(files, labels, [[float(error)] for error in errors])
    assert (scores.files, scores.inferences) == (4, 12)
    assert scores.auc == 1.0
    assert scores.accuracy == pytest.approx(100)
    swapped = score(files, [1 - label for label in labels], [[float(e)] for e in errors])
    assert swapped.auc == 0.0


def test_an_auc_that_is_not_defined_is_none() -> None:
    assert score(["a", "b"], [0, 0], [[0.9, 0.1], [0.8, 0.2]]).auc is None
    assert score(["a", "b"], [0, 2], [[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]]).auc is None
    with pytest.raises(DataError, match="add up to 0"):
        score(["a", "b"], [0, 1], [[0.0, 0.0], [1.0, 0.0]])


def test_recordings_are_cut_into_overlapping_windows(tmp_path: Path) -> None:
    write_labels(tmp_path / "ad01", "x.bin,2,1,2560,512\n")
    data = bytes(range(256)) * 16
    (tmp_path / "ad01" / "x.bin").write_bytes(data)
    opened = open_dataset(tmp_path, AD)
    assert opened.entries == (Entry("x.bin", "2", 1, 2560, 512),)
    assert opened.windows(opened.entries[0]) == [data[at : at + 2560] for at in range(0, 1537, 512)]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a.bin,12", "file, classes, class wanted"),
        ("a.bin,12,one", "file, classes, class wanted"),
        ("../a.bin,12,1", "no file within the folder"),
        ("/etc/passwd,12,1", "no file within the folder"),
        (",12,1", "no file within the folder"),
    ],
)
def test_a_malformed_label_is_refused(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        open_dataset(write_labels(tmp_path, f"ok.bin,12,1\n{line}\n"), KWS)


def test_windows_of_another_size_are_refused(tmp_path: Path) -> None:
    for line in ("a.bin,2,1,1280,512", "a.bin,2,1,2560,0"):
        with pytest.raises(DataError, match="ad01 takes 2560"):
            open_dataset(write_labels(tmp_path, line), AD)
    with pytest.raises(DataError, match="bytes to send, stride wanted"):
        open_dataset(write_labels(tmp_path, "a.bin,2,1"), AD)


def test_missing_or_wrong_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"neither y_labels\.csv nor kws01/y_labels\.csv"):
        open_dataset(tmp_path, KWS)
    with pytest.raises(DataError, match="no samples"):
        open_dataset(write_labels(tmp_path, ""), KWS)
    opened = open_dataset(write_labels(tmp_path, "a.bin,12,1"), KWS)
    with pytest.raises(DataError, match="cannot be read"):
        opened.windows(opened.entries[0])
    (tmp_path / "a.bin").write_bytes(bytes(489))
    with pytest.raises(DataError, match="489 bytes, kws01 takes 490"):
        opened.windows(opened.entries[0])


def test_the_files_are_those_that_a_submission_has(tmp_path: Path) -> None:
    clock = datetime(2026, 3, 4, 5, 6, 7)
    files = SessionFiles(tmp_path / "sessions", lambda: clock)
    again = SessionFiles(tmp_path / "sessions", lambda: clock)
    assert files.folder.name == "20260304_050607"
    assert again.folder != files.folder
    session = Session(device_on(FakeBoard()), dataset(tmp_path / "data"), "", files.log, 0.0)
    session.accuracy()
    files.score("Top 1% = 85.4")
    files.details(session, "accuracy")
    assert files.folder.joinpath("results.txt").read_text() == (
        "0304.050607 ulp-mlperf: Top 1% = 85.4\n"
    )
    log = files.folder.joinpath("log.txt").read_text()
    assert log.endswith("0304.050607 ulp-mlperf: Top 1% = 85.4\n")
    assert "0304.050607 ulp-mlperf:   m-results    : [0.25, 0.75]\n" in log
    first = json.loads(files.folder.joinpath("results.json").read_text())[0]
    assert first == {
        "file": "0.bin",
        "classes": "12",
        "class": "0",
        "bytes_to_send": None,
        "stride": None,
        "infer": {
            "results": [0.25, 0.75],
            "start_time": 0,
            "end_time": 1000,
            "elapsed_time": 1000,
            "total_inferences": 1,
            "iterations": 1,
            "warmups": 0,
        },
        "mode": "a",
    }
