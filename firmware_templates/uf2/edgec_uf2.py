"""Makes a UF2 file of a binary image: what the boot loader's USB drive of RP2040 and RP2350 takes.

usage: python3 edgec_uf2.py image.bin ORIGIN FAMILY image.uf2

ORIGIN is where flash begins, FAMILY the chip's number in the list of UF2 families. Each block of
512 bytes carries 256 of the image and where they go (github.com/microsoft/uf2). Needs nothing but
Python 3.
"""

import struct
import sys
from pathlib import Path

PAYLOAD = 256
MAGIC = (0x0A324655, 0x9E5D5157)
MAGIC_END = 0x0AB16F30
FAMILY_PRESENT = 0x2000


def blocks(image: bytes, origin: int, family: int) -> bytes:
    """Return the blocks of an image; the last is filled up with zeros."""
    count = -(-len(image) // PAYLOAD)
    made = []
    for number in range(count):
        at = number * PAYLOAD
        data = image[at : at + PAYLOAD].ljust(PAYLOAD, b"\0")
        head = (*MAGIC, FAMILY_PRESENT, origin + at, PAYLOAD, number, count, family)
        made.append(struct.pack("<8I476sI", *head, data, MAGIC_END))
    return b"".join(made)


def main(source: str, origin: str, family: str, target: str) -> None:
    """Convert one file."""
    image = Path(source).read_bytes()
    Path(target).write_bytes(blocks(image, int(origin, 0), int(family, 0)))


if __name__ == "__main__":
    if len(sys.argv) != 5:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
