"""Assemble RP2040's second stage into the C file that firmware is built with.

The boot ROM wants 252 bytes and their CRC-32. The bytes are kept, and not made anew in each build,
so that another assembler cannot change what was checked.

usage: python tools/gen_boot2.py [--check]. With --check nothing is written, and the exit code is 1
if the file is out of date.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "firmware_templates" / "rp2040"
SOURCE = FOLDER / "edgec_boot2.S"
TABLE = FOLDER / "edgec_boot2.c"

CODE_BYTES = 252


def crc32(data: bytes) -> int:
    """Return the CRC of RP2040's data sheet, 2.8.1.3.1: highest bit first, from all ones."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1) ^ (0x04C11DB7 if crc & 0x80000000 else 0)
            crc &= 0xFFFFFFFF
    return crc


def assemble(source: Path) -> bytes:
    """Return the code of an assembler file that needs no linking."""
    with tempfile.TemporaryDirectory() as folder:
        elf, code = Path(folder) / "boot2.elf", Path(folder) / "boot2.bin"
        link = ["-nostdlib", "-Wl,-Ttext=0x20041f00", "-Wl,--build-id=none"]
        argv = ["arm-none-eabi-gcc", *link, "-o", str(elf), str(source)]
        subprocess.run(argv, check=True)
        subprocess.run(["arm-none-eabi-objcopy", "-O", "binary", elf, code], check=True)
        return code.read_bytes()


def table(code: bytes) -> str:
    """Return the C file."""
    if len(code) > CODE_BYTES:
        raise SystemExit(f"{SOURCE.name} takes {len(code)} bytes, there are {CODE_BYTES}")
    padded = code.ljust(CODE_BYTES, b"\0")
    data = padded + crc32(padded).to_bytes(4, "little")
    words = [f"0x{int.from_bytes(data[i : i + 4], 'little'):08X}u," for i in range(0, 256, 4)]
    rows = "\n".join("    " + " ".join(words[i : i + 7]) for i in range(0, len(words), 7))
    return f"""/* Made by tools/gen_boot2.py of edgec_boot2.S; the last word is the others' CRC. */
#include <stdint.h>

__attribute__((section(".edgec_boot2"), used)) static const uint32_t boot2[64] = {{
{rows}
}};
"""


def main() -> int:
    """Write the C file, or compare it."""
    parser = argparse.ArgumentParser(description="Assemble RP2040's second stage.")
    parser.add_argument("--check", action="store_true", help="write nothing, only compare")
    check = parser.parse_args().check
    text = table(assemble(SOURCE))
    if not check:
        TABLE.write_text(text, encoding="utf-8")
    elif TABLE.read_text(encoding="utf-8") != text:
        print(f"{TABLE.name}: out of date\nhint: {__file__}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
