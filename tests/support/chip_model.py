"""A core in Unicorn and as much of a chip as the firmware must get right, for chips QEMU lacks.

A register holds what was written; status bits follow the bits that ask for them, the UART carries
bytes, and a block that is in reset or has no clock may not be touched.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import unicorn
from unicorn import arm_const

from edgec.targets.profile import Target
from tests.support.firmware_image import FirmwareImage

PERIPHERALS, PERIPHERALS_END = 0x40000000, 0x60000000
PRIVATE, PRIVATE_END = 0xE0000000, 0xE0100000
DWT_CTRL, DWT_CYCCNT, DWT_LAR, DEMCR = 0xE0001000, 0xE0001004, 0xE0001FB0, 0xE000EDFC
SYST_CSR, SYST_CVR = 0xE000E010, 0xE000E018

CPUS = {
    "cortex-m0": arm_const.UC_CPU_ARM_CORTEX_M0,
    "cortex-m0plus": arm_const.UC_CPU_ARM_CORTEX_M0,
    "cortex-m3": arm_const.UC_CPU_ARM_CORTEX_M3,
    "cortex-m4": arm_const.UC_CPU_ARM_CORTEX_M4,
    "cortex-m7": arm_const.UC_CPU_ARM_CORTEX_M7,
    "cortex-m33": arm_const.UC_CPU_ARM_CORTEX_M33,
}

Registers = dict[int, int]


@dataclass(frozen=True)
class Uart:
    """Where bytes come in and go out, and the status bits that say so.

    `event_receive` and `event_transmit` are registers that are not 0 when a byte came or went.
    """

    receive: int
    transmit: int
    status: int = 0
    has_data: int = 0
    can_send: int = 0
    no_data: int = 0
    event_receive: int = 0
    event_transmit: int = 0


@dataclass(frozen=True)
class Model:
    """A chip: its UART, its status bits and what its registers then mean.

    `status` computes what is read of a register. `core_hz` and `baud` read the clock tree as the
    manual describes it, and raise AssertionError where it forbids what was set. `needs` are the
    blocks that must be switched on: a range of addresses, and the test for it.
    """

    uart: Uart
    core_hz: Callable[[Registers], float]
    baud: Callable[[Registers], float]
    reset: Mapping[int, int] = field(default_factory=dict)
    status: Mapping[int, Callable[[Registers], int]] = field(default_factory=dict)
    needs: tuple[tuple[range, Callable[[Registers], bool]], ...] = ()


class Chip:
    """A running firmware, as a link to it: written bytes reach its UART, read ones come from it."""

    def __init__(self, image: FirmwareImage, target: Target, model: Model) -> None:
        self.model = model
        self.registers: Registers = dict(model.reset)
        self.written: list[tuple[int, int]] = []
        self.to_core: deque[int] = deque()
        self.from_core = bytearray()
        self.failure: str = ""
        self._cycles = 0
        self.core = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
        self.core.ctl_set_cpu_model(CPUS[target.cpu])
        for memory in target.memories:
            start = memory.origin & ~0xFFF
            size = -(-(memory.origin + memory.size_bytes - start) // 0x1000) * 0x1000
            self.core.mem_map(start, size)
        for start, end in ((PERIPHERALS, PERIPHERALS_END), (PRIVATE, PRIVATE_END)):
            self._map(start, end)
        for address, data in image.segments:
            self.core.mem_write(address, data)
        stack, entry = image.words(image.symbols["edgec_vectors"], 2)
        self.core.reg_write(arm_const.UC_ARM_REG_SP, stack)
        self.core.reg_write(arm_const.UC_ARM_REG_FPEXC, 1 << 30)
        self.next = entry | 1

    def _map(self, start: int, end: int) -> None:
        def read(_: unicorn.Uc, offset: int, size: int, data: None) -> int:
            return self._guarded(lambda: self._read(start + offset))

        def write(_: unicorn.Uc, offset: int, size: int, value: int, data: None) -> None:
            self._guarded(lambda: self._write(start + offset, value))

        self.core.mmio_map(start, end - start, read, None, write, None)

    def _guarded(self, act: Callable[[], int]) -> int:
        """Keep what goes wrong in a callback, where Unicorn would lose it, and stop."""
        try:
            return act()
        except AssertionError as error:
            self.failure = str(error)
            self.core.emu_stop()
            return 0

    def _check_clocked(self, address: int) -> None:
        for where, on in self.model.needs:
            assert address not in where or on(self.registers), f"{address:#x} is off"

    def _read(self, address: int) -> int:
        self._check_clocked(address)
        uart, value = self.model.uart, self.registers.get(address, 0)
        if address in self.model.status:
            value = self.model.status[address](self.registers)
        if address == uart.receive:
            return self.to_core.popleft() if self.to_core else 0
        if address == uart.status:
            value |= uart.can_send | (uart.has_data if self.to_core else uart.no_data)
        if address == uart.event_receive and self.to_core:
            value = 1
        return self._private(address, value)

    def _private(self, address: int, value: int) -> int:
        self._cycles += 40
        if address == DWT_CYCCNT:
            on = self.registers.get(DWT_CTRL, 0) & 1 and self.registers.get(DEMCR, 0) >> 24 & 1
            return self._cycles & 0xFFFFFFFF if on else 0
        if address == SYST_CVR and self.registers.get(SYST_CSR, 0) & 1:
            return 0xFFFFFF - self._cycles % 0xFFFFFF
        return value

    def _write(self, address: int, value: int) -> int:
        self._check_clocked(address)
        self.registers[address] = value
        self.written.append((address, value))
        uart = self.model.uart
        if address == uart.transmit:
            self.from_core.append(value & 0xFF)
            self.registers[uart.event_transmit] = 1
        return 0

    def run(self, instructions: int = 30_000) -> None:
        """Run the firmware for a while."""
        self.core.emu_start(self.next, 0xFFFFFFFE, count=instructions)
        self.next = self.core.reg_read(arm_const.UC_ARM_REG_PC) | 1
        assert not self.failure, self.failure

    def read(self, timeout_s: float) -> bytes:
        """Return what the firmware has sent."""
        del timeout_s
        self.run()
        data = bytes(self.from_core)
        self.from_core.clear()
        return data

    def write(self, data: bytes) -> None:
        """Let bytes arrive."""
        self.to_core.extend(data)

    def close(self) -> None:
        """Nothing is open."""
