"""Fuzzes the firmware's decoders for a while; ends with an error and the input if one breaks it."""

from __future__ import annotations

import argparse
import re
import tempfile
from pathlib import Path

from tests.support import fuzzing


def main() -> None:
    """Run every fuzzer, and say how many inputs it tried and what they covered."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="for each fuzzer")
    parser.add_argument("--seed", type=int, default=0, help="0 draws one")
    args = parser.parse_args()
    if why := fuzzing.missing():
        raise SystemExit(why)
    for name in fuzzing.FUZZERS:
        with tempfile.TemporaryDirectory() as folder:
            program = fuzzing.build(name, Path(folder))
            options = (f"-max_total_time={args.seconds}", f"-seed={args.seed}")
            limit_s = args.seconds + 120.0
            said = fuzzing.run(program, Path(folder) / "corpus", *options, timeout_s=limit_s)
        runs = re.search(r"Done (\d+) runs", said)
        covered = re.findall(r"cov: (\d+) ft: (\d+)", said)[-1]
        count = int(runs[1]) if runs else 0
        print(f"{name}: {count:,} inputs, {covered[0]} edges, {covered[1]} features, no fault")


if __name__ == "__main__":
    main()
