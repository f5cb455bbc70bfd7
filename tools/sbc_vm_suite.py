"""Tests edgec with an emulated arm64 computer as its device: `make test-sbc-vm`.

The guest of `sbc_vm.py` is a device as any other, with a kernel, users, an sshd and a Python of its
own: nothing on this side knows that it is emulated but for what its device tree says. It is added
with its host key; the matrix of `sbc_matrix.py` builds, pushes, runs and verifies with every
backend; what a measurement says, Ctrl-C, and a device that dies are looked at after that. Writes
build/sbc-vm/matrix.json; exits with 1 if anything was not as it should be.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from edgec.pipeline.errors import EdgecError
from tools.sbc_vm import CACHE, Archive, Guest, made, running

ROOT = Path(__file__).resolve().parents[1]
EDGEC = [sys.executable, "-m", "edgec"]
TARGET = "rpi4"
NAME = "vm"
MODEL = "kws_dscnn_int8.tflite"
SHARED = Path(os.environ.get("EDGEC_MODELS", ROOT.parent / "shared" / "models")) / "mlperf-tiny"
LEFT = "ls -A ~/.cache/edge[c]/leases 2>/dev/null; pgrep -af '[.]cache/edgec/' || true"
"""Prints leases and processes that edgec left in the guest; it does not find itself."""


@dataclass(frozen=True, slots=True)
class Site:
    """A running guest that is a device of edgec, and a bundle for it."""

    guest: Guest
    config: Path
    bundle: Path

    def edgec(self, *words: str, code: int = 0) -> str:
        """Run edgec; fail unless it exits as it should. Return all that it prints."""
        done = subprocess.run(
            [*EDGEC, *words], env=self.environment, capture_output=True, text=True, check=False
        )
        said = done.stdout + done.stderr
        assert done.returncode == code, f"exit code {done.returncode}, {code} wanted: {said}"
        return said if code else done.stdout

    @property
    def environment(self) -> dict[str, str]:
        """The variables that keep edgec's settings apart from the user's."""
        return {**os.environ, "EDGEC_CONFIG_DIR": str(self.config), "COLUMNS": "160"}

    def there(self, script: str) -> str:
        """Run a script in the guest with an ssh that is not edgec's."""
        options = ["-o", "BatchMode=yes", "-o", f"UserKnownHostsFile={self.config}/known_hosts"]
        user, _, port = self.guest.address.rpartition(":")
        argv = ["ssh", *options, "-i", str(self.guest.identity), "-p", port, user, script]
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout

    def bench(self) -> subprocess.Popen[str]:
        """Start a measurement that lasts; return once its program answers in the guest."""
        argv = [*EDGEC, "bench", "--ssh", NAME, "--samples", "2000", str(self.bundle)]
        process = subprocess.Popen(
            argv, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            if line.startswith("verify ") and line.rstrip().endswith(f": {TARGET}"):
                return process
            said.append(line)
        raise AssertionError(f"bench ended early: {''.join(said)}")


def device_is_added(site: Site) -> str:
    """Keep the guest as a device; another host key than its own is refused."""
    address, identity = site.guest.address, str(site.guest.identity)
    words = ["device", "add", NAME, address, "--identity", identity, "--host-key"]
    said = site.edgec(*words, "SHA256:" + "A" * 43, code=8)
    assert "host key" in said, said
    assert not (site.config / "known_hosts").exists(), "a key was kept that was refused"
    return site.edgec(*words, site.guest.fingerprint).strip()


def every_backend_answers_right(site: Site, asked: argparse.Namespace) -> str:
    """Run the matrix of models and backends."""
    out = CACHE / "matrix.json"
    out.unlink(missing_ok=True)
    words = [str(ROOT / "tools" / "sbc_matrix.py"), "--device", NAME, "--target", TARGET]
    words += ["--samples", str(asked.samples), "--out", str(out)]
    words += [word for model in asked.model or [] for word in ("--model", model)]
    done = subprocess.run([sys.executable, *words], env=site.environment, check=False)
    assert out.exists(), f"the matrix ended early, exit code {done.returncode}"
    rows: list[dict[str, Any]] = json.loads(out.read_text(encoding="utf-8"))
    wrong = [f"{r['model']} {r['backend']}: {r.get('why')}" for r in rows if not r["ok"]]
    assert rows and done.returncode == 0 and not wrong, "\n".join(wrong)
    return f"{len(rows)} bundles and backends"


def times_are_labelled(site: Site) -> str:
    """Look at what a measurement says of its device, and what it does not know."""
    result = json.loads(site.edgec("bench", "--json", "--ssh", NAME, str(site.bundle)))
    states = result["env"]["states"]
    assert [state["model"] for state in states] == ["linux,dummy-virt"] * 2, states
    unknown = {state[key] for state in states for key in ("governor", "temperature_c", "throttled")}
    assert unknown == {None}, states
    assert any("QEMU's virtual machine" in warning for warning in result["warnings"]), result
    assert result["memory"]["peak_bytes"] > 100_000, result["memory"]
    shown = site.edgec("bench", "--ssh", NAME, str(site.bundle))
    line = next(line for line in shown.splitlines() if line.startswith("ns "))
    assert "of QEMU's virtual machine, no board's" in line, line
    return f"{line.strip()}; peak memory {result['memory']['peak_bytes']:,} bytes"


def interrupt_leaves_nothing(site: Site) -> str:
    """Press Ctrl-C in the middle of a measurement."""
    process = site.bench()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, f"exit code {process.returncode}: {said}"
    for _ in range(20):
        left = site.there(LEFT)
        if not left:
            return "exit code 130"
        time.sleep(1)
    raise AssertionError(f"left in the guest: {left}")


def a_dead_device_is_told(site: Site) -> str:
    """Cut the guest's power in the middle of a measurement; nothing can be asked of it then."""
    process = site.bench()
    site.guest.process.kill()
    _, said = process.communicate(timeout=120)
    assert process.returncode == 8 and "Traceback" not in said, f"{process.returncode}: {said}"
    errors = [line for line in said.splitlines() if line.startswith("error: ")]
    assert errors, said
    return f"exit code 8, {errors[0]}"


def main() -> int:
    """Make the guest if need be, boot it, and check everything; 1 if something was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", action="append", help="one of the matrix' models; all otherwise")
    parser.add_argument("--samples", type=int, default=20)
    parser.add_argument("--mirror", help="a Debian archive, if apt on this machine has none")
    parser.add_argument("--release", default="bookworm", help="what to take of --mirror")
    asked = parser.parse_args()
    if not SHARED.is_dir():
        parser.error(f"no benchmark models in {SHARED}: set EDGEC_MODELS")
    # Shells start what runs in the background deaf to Ctrl-C, and edgec would be so too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    start = time.monotonic()
    try:
        made(CACHE, Archive(asked.mirror, asked.release) if asked.mirror else None)
    except EdgecError as error:
        print(f"sbc-vm: {error.message}\nhint: {error.hint}", file=sys.stderr)
        return 4
    print(f"sbc-vm: the image is there after {time.monotonic() - start:.0f} s", flush=True)
    with tempfile.TemporaryDirectory(prefix="edgec-") as folder, running(CACHE) as guest:
        print(f"sbc-vm: up after {time.monotonic() - start:.0f} s", flush=True)
        site = Site(guest, Path(folder) / "config", Path(folder) / "bundle")
        model = str(SHARED / MODEL)
        words = ["build", "--target", TARGET, "--backend", "aot", "--no-verify", "-q"]
        site.edgec(*words, "-o", str(site.bundle), model)
        checks: list[Callable[[Site], str]] = [
            device_is_added,
            times_are_labelled,
            interrupt_leaves_nothing,
            lambda there: every_backend_answers_right(there, asked),
            a_dead_device_is_told,
        ]
        names = ("added", "labelled", "Ctrl-C", "every backend", "power cut")
        wrong = [failed(name, check, site) for name, check in zip(names, checks, strict=True)]
    return int(any(wrong))


def failed(name: str, check: Callable[[Site], str], site: Site) -> bool:
    """Run a check and say what came of it."""
    start = time.monotonic()
    try:
        what, wrong = check(site), False
    except (AssertionError, subprocess.SubprocessError) as error:
        what, wrong = f"FAILED: {error}", True
    print(f"sbc-vm: {name}: {what} ({time.monotonic() - start:.0f} s)", flush=True)
    return wrong


if __name__ == "__main__":
    sys.exit(main())
