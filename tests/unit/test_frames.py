from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edgec.targets.frames import MAX_PAYLOAD, Decoder, Frame, cobs_decode, cobs_encode, encode

payloads = st.binary(max_size=MAX_PAYLOAD)
frames = st.builds(Frame, st.integers(0, 255), st.integers(0, 255), payloads)
zero_rich = st.lists(st.sampled_from([0, 0, 1, 255]), max_size=1100).map(bytes)


@given(st.one_of(st.binary(max_size=1100), zero_rich))
def test_cobs_code_has_no_zero_and_decodes_to_what_was_encoded(data: bytes) -> None:
    code = cobs_encode(data)
    assert 0 not in code
    assert cobs_decode(code) == data
    assert len(code) <= len(data) + len(data) // 254 + 1


def test_cobs_matches_the_published_examples() -> None:
    assert cobs_encode(b"") == b"\x01"
    assert cobs_encode(b"\0") == b"\x01\x01"
    assert cobs_encode(b"\x11\x22\x00\x33") == b"\x03\x11\x22\x02\x33"
    assert cobs_encode(bytes(range(1, 255))) == b"\xff" + bytes(range(1, 255))
    assert cobs_encode(bytes(range(256))) == b"\x01\xff" + bytes(range(1, 255)) + b"\x02\xff"


@given(st.lists(frames, max_size=5), st.integers(1, 700))
def test_frames_arrive_whole_however_the_stream_is_cut(sent: list[Frame], step: int) -> None:
    wire = b"".join(encode(frame) for frame in sent)
    decoder = Decoder()
    got = [f for at in range(0, len(wire), step) for f in decoder.feed(wire[at : at + step])]
    assert got == sent
    assert decoder.dropped == 0


@given(frames, st.integers(0, 10_000), st.integers(0, 7))
def test_a_flipped_bit_never_yields_another_frame(frame: Frame, at: int, bit: int) -> None:
    wire = bytearray(encode(frame))
    wire[at % len(wire)] ^= 1 << bit
    assert all(got == frame for got in Decoder().feed(bytes(wire)))


@given(st.binary(max_size=4000), frames)
def test_a_frame_after_garbage_is_found(garbage: bytes, frame: Frame) -> None:
    assert Decoder().feed(garbage + encode(frame))[-1] == frame


@given(st.lists(st.binary(max_size=3000), max_size=4))
def test_garbage_does_not_grow_the_buffer(parts: list[bytes]) -> None:
    decoder = Decoder()
    for part in parts:
        decoder.feed(part.replace(b"\0", b"\1"))
    assert len(decoder._wire) < 1100
