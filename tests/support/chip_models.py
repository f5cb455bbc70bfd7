"""The chips of the shipped boards, as their reference manuals have them.

Written apart from the firmware: what it sets is read back here as the manual defines it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.support.chip_model import Model, Registers, Uart


def _bits(value: int, low: int, width: int) -> int:
    return value >> low & ((1 << width) - 1)


def _follow(address: int, *pairs: tuple[int, int, int]) -> Callable[[Registers], int]:
    """Return a register's value whose bits follow others: (bit, register, bit that asks)."""

    def read(registers: Registers) -> int:
        value = registers.get(address, 0)
        for bit, source, asks in pairs:
            on = registers.get(source, 0) >> asks & 1
            value = value & ~(1 << bit) | on << bit
        return value

    return read


def _switch(address: int, to: int, width: int) -> Callable[[Registers], int]:
    """Return a clock switch's value: its lowest bits choose, those at `to` say what was chosen."""

    def read(registers: Registers) -> int:
        value = registers.get(address, 0)
        return value & ~(((1 << width) - 1) << to) | _bits(value, 0, width) << to

    return read


def _enabled(register: int, bit: int) -> Callable[[Registers], bool]:
    return lambda registers: bool(registers.get(register, 0) >> bit & 1)


def _span(base: int, size: int = 0x400) -> range:
    return range(base, base + size)


def _f4_f7_core(registers: Registers, *, over_drive_from: int, most_hz: int, states: int) -> float:
    rcc, pwr, acr = 0x40023800, 0x40007000, 0x40023C00
    assert registers[rcc + 8] & 3 == 2, "the core does not run from the PLL"
    pll = registers[rcc + 4]
    assert not pll >> 22 & 1, "the PLL is fed by HSE"
    m, n, p = _bits(pll, 0, 6), _bits(pll, 6, 9), 2 * (_bits(pll, 16, 2) + 1)
    assert 1e6 <= 16e6 / m <= 2e6
    assert 100e6 <= 16e6 / m * n <= 432e6
    core = 16e6 / m * n / p
    assert core <= most_hz
    assert registers[acr] & 15 == states, "flash wait states"
    assert registers[pwr] >> 14 & 3 == 3, "voltage scale 1"
    if core > over_drive_from:
        assert registers[pwr] >> 16 & 3 == 3, "over-drive"
    return core


def _ppre(field: int) -> int:
    return 1 if field < 4 else 2 << (field - 4)


@dataclass(frozen=True)
class Gate:
    """A block at `base` that a bit of an RCC register gives its clock."""

    base: int
    register: int
    bit: int

    @property
    def need(self) -> tuple[range, Callable[[Registers], bool]]:
        """What must not be touched without, and the test."""
        return _span(self.base), _enabled(self.register, self.bit)


def _f4_f7(
    uart: Uart, core: Callable[[Registers], float], bus: int, usart: Gate, brr: int, gpio: Gate
) -> Model:
    """Return a model whose USART is on the bus with its divider at bit `bus` of RCC_CFGR."""
    rcc, pwr = 0x40023800, 0x40007000

    def baud(registers: Registers) -> float:
        divider = _ppre(_bits(registers[rcc + 8], bus, 3))
        return core(registers) / divider / registers[usart.base + brr]

    return Model(
        uart,
        core,
        baud,
        reset={rcc: 0x83, rcc + 4: 0x24003010},
        status={
            rcc: _follow(rcc, (25, rcc, 24)),
            rcc + 8: _switch(rcc + 8, 2, 2),
            pwr + 4: _follow(pwr + 4, (16, pwr, 16), (17, pwr, 17)),
        },
        needs=(
            usart.need,
            gpio.need,
            Gate(pwr, rcc + 0x40, 28).need,
        ),
    )


def _old_usart(base: int) -> Uart:
    return Uart(base + 4, base + 4, base, has_data=1 << 5, can_send=1 << 7)


def _new_usart(base: int) -> Uart:
    return Uart(base + 0x24, base + 0x28, base + 0x1C, has_data=1 << 5, can_send=1 << 7)


def _f4(usart: int, clock: int, bit: int, gpio: int, port: int, bus: int, most_hz: int) -> Model:
    def core(registers: Registers) -> float:
        return _f4_f7_core(registers, over_drive_from=168_000_000, most_hz=most_hz, states=5)

    gates = Gate(usart, clock, bit), Gate(gpio, 0x40023830, port)
    return _f4_f7(_old_usart(usart), core, bus, gates[0], 8, gates[1])


def _f7_core(registers: Registers) -> float:
    return _f4_f7_core(registers, over_drive_from=180_000_000, most_hz=216_000_000, states=7)


def _l4() -> Model:
    rcc, pwr, acr, uart = 0x40021000, 0x40007000, 0x40022000, 0x40008000

    def core(registers: Registers) -> float:
        assert registers[rcc + 8] & 3 == 3, "the core does not run from the PLL"
        assert _bits(registers[rcc + 8], 4, 4) == 0, "the bus is slower than the core"
        pll = registers[rcc + 0xC]
        assert pll & 3 == 2 and pll >> 24 & 1, "HSI, and output R on"
        feed = 16e6 / (_bits(pll, 4, 4) + 1)
        assert 2.66e6 <= feed <= 8e6
        vco = feed * _bits(pll, 8, 7)
        assert 64e6 <= vco <= 344e6
        hz = vco / (2 * (_bits(pll, 25, 2) + 1))
        assert registers[acr] & 15 == 5
        assert _bits(registers[pwr], 9, 2) == 1 and not registers[pwr + 0x80] >> 8 & 1, "boost"
        assert registers[pwr + 4] >> 9 & 1, "port G has no supply"
        return hz

    return Model(
        _new_usart(uart),
        core,
        lambda registers: 256 * core(registers) / registers[uart + 0xC],
        reset={rcc: 0x63, pwr: 0x200, pwr + 0x80: 0x100},
        status={
            rcc: _follow(rcc, (10, rcc, 8), (25, rcc, 24)),
            rcc + 8: _switch(rcc + 8, 2, 2),
        },
        needs=(
            (_span(uart), _enabled(rcc + 0x5C, 0)),
            (_span(0x48001800), _enabled(rcc + 0x4C, 6)),
            (_span(pwr), _enabled(rcc + 0x58, 28)),
        ),
    )


def _u5() -> Model:
    rcc, vosr, acr, uart = 0x46020C00, 0x4602080C, 0x40022000, 0x40013800

    def core(registers: Registers) -> float:
        assert registers[rcc + 0x1C] & 3 == 3, "the core does not run from the PLL"
        pll, divs = registers[rcc + 0x28], registers[rcc + 0x34]
        assert pll & 3 == 2 and pll >> 18 & 1, "HSI, and output R on"
        feed = 16e6 / (_bits(pll, 8, 4) + 1)
        assert (_bits(pll, 2, 2) == 3) == (8e6 <= feed <= 16e6)
        vco = feed * (_bits(divs, 0, 9) + 1)
        assert 128e6 <= vco <= 544e6
        assert registers[acr] & 15 == 4
        assert _bits(registers[vosr], 16, 3) == 7, "range 1 and booster"
        return vco / (_bits(divs, 24, 7) + 1)

    def voltage(registers: Registers) -> int:
        value = registers.get(vosr, 0)
        boosted = value >> 18 & 1 and registers.get(rcc + 0x28, 0) & 3
        return value | (1 << 15 if _bits(value, 16, 2) == 3 else 0) | (1 << 14 if boosted else 0)

    return Model(
        _new_usart(uart),
        core,
        lambda registers: core(registers) / registers[uart + 0xC],
        reset={rcc: 0x35},
        status={
            rcc: _follow(rcc, (10, rcc, 8), (25, rcc, 24)),
            rcc + 0x1C: _switch(rcc + 0x1C, 2, 2),
            vosr: voltage,
        },
        needs=(
            (_span(uart), _enabled(rcc + 0xA4, 14)),
            (_span(0x42020000), _enabled(rcc + 0x8C, 0)),
            (_span(0x46020800), _enabled(rcc + 0x94, 2)),
        ),
    )


def _h7() -> Model:
    rcc, pwr, acr, uart = 0x58024400, 0x58024800, 0x52002000, 0x40004800

    def core(registers: Registers) -> float:
        assert registers[rcc + 0x10] & 7 == 3, "the core does not run from the PLL"
        select, config, divs = (registers[rcc + at] for at in (0x28, 0x2C, 0x30))
        assert select & 3 == 0 and config >> 16 & 1, "HSI, and output P on"
        feed = 64e6 / _bits(select, 4, 6)
        assert {0: 2e6, 1: 4e6, 2: 8e6, 3: 16e6}[_bits(config, 2, 2)] >= feed
        assert feed >= 2e6 or config >> 1 & 1
        vco = feed * (_bits(divs, 0, 9) + 1)
        assert 192e6 <= vco <= 836e6
        hz = vco / (_bits(divs, 9, 7) + 1)
        assert hz <= 400e6 and hz / _hpre(registers) <= 200e6
        assert registers[acr] & 0x3F == 0x22
        assert _bits(registers[pwr + 0x18], 14, 2) == 3, "voltage scale 1"
        return hz

    def _hpre(registers: Registers) -> int:
        field = registers[rcc + 0x18] & 15
        return 1 if field < 8 else 2 << (field - 8)

    def baud(registers: Registers) -> float:
        bus = core(registers) / _hpre(registers)
        peripheral = bus / _ppre(_bits(registers[rcc + 0x1C], 4, 3))
        assert peripheral <= 100e6
        return peripheral / registers[uart + 0xC]

    return Model(
        _new_usart(uart),
        core,
        baud,
        reset={rcc: 0x25, pwr + 0xC: 6},
        status={
            rcc: _follow(rcc, (25, rcc, 24)),
            rcc + 0x10: _switch(rcc + 0x10, 3, 3),
            pwr + 4: _follow(pwr + 4, (13, pwr + 0xC, 1)),
            pwr + 0x18: _follow(pwr + 0x18, (13, pwr + 0x18, 15)),
        },
        needs=(
            (_span(uart), _enabled(rcc + 0xE8, 18)),
            (_span(0x58020C00), _enabled(rcc + 0xE0, 3)),
        ),
    )


def _rp(clocks: int, resets: int, xosc: int, pll: int, uart: int, gates: dict[int, int]) -> Model:
    def core(registers: Registers) -> float:
        assert registers[clocks + 0x3C] & 1, "the core does not run from the PLL"
        assert _bits(registers[clocks + 0x3C], 5, 3) == 0, "pll_sys"
        vco = 12e6 / _bits(registers[pll], 0, 6) * registers[pll + 8]
        assert 750e6 <= vco <= 1600e6
        post = registers[pll + 0xC]
        assert not registers[pll + 4] & 0b101001, "parts of the PLL are powered down"
        return vco / _bits(post, 16, 3) / _bits(post, 12, 3)

    def baud(registers: Registers) -> float:
        assert registers[clocks + 0x48] >> 11 & 1, "the UART has no clock"
        return core(registers) / (16 * registers[uart + 0x24] + registers[uart + 0x28] / 4)

    def stable(registers: Registers) -> int:
        return int(_bits(registers.get(xosc, 0), 12, 12) == 0xFAB) << 31

    def locked(registers: Registers) -> int:
        powered = not registers.get(pll + 4, 0x2D) & 0b100001
        return registers.get(pll, 0) | int(powered and registers.get(pll + 8, 0) > 0) << 31

    def released(bit: int) -> Callable[[Registers], bool]:
        return lambda registers: not registers[resets] >> bit & 1

    return Model(
        Uart(uart, uart, uart + 0x18, no_data=1 << 4),
        core,
        baud,
        reset={resets: 0x1FFFFFFF, pll: 1, pll + 4: 0x2D},
        status={
            resets + 8: lambda registers: ~registers[resets] & 0x1FFFFFFF,
            xosc + 4: stable,
            clocks + 0x38: lambda registers: 1 << (registers.get(clocks + 0x30, 0) & 3),
            clocks + 0x44: lambda registers: 1 << (registers.get(clocks + 0x3C, 0) & 1),
            pll: locked,
        },
        needs=tuple((_span(base, 0x1000), released(bit)) for base, bit in gates.items()),
    )


def _nrf(rates: dict[int, int], hz: int) -> Model:
    uart = 0x40002000
    return Model(
        Uart(
            uart + 0x518,
            uart + 0x51C,
            event_receive=uart + 0x108,
            event_transmit=uart + 0x11C,
        ),
        lambda registers: hz,
        lambda registers: rates[registers[uart + 0x524]],
        status={0x40000100: lambda registers: registers.get(0x40000000, 0)},
        needs=((range(uart + 0x518, uart + 0x520), _enabled(uart + 0x500, 2)),),
    )


_NRF52 = _nrf({0x01D60000: 115200}, 64_000_000)

MODELS: dict[str, Model] = {
    "nucleo-f446re": _f4(0x40004400, 0x40023840, 17, 0x40020000, 0, 10, 180_000_000),
    "stm32f4discovery": _f4(0x40004400, 0x40023840, 17, 0x40020000, 0, 10, 168_000_000),
    "netduinoplus2": _f4(0x40011400, 0x40023844, 5, 0x40020800, 2, 13, 168_000_000),
    "nucleo-f746zg": _f4_f7(
        _new_usart(0x40004800),
        _f7_core,
        10,
        Gate(0x40004800, 0x40023840, 18),
        0xC,
        Gate(0x40020C00, 0x40023830, 3),
    ),
    "nucleo-l4r5zi": _l4(),
    "nucleo-u575zi-q": _u5(),
    "nucleo-h743zi2": _h7(),
    "pico": _rp(
        0x40008000,
        0x4000C000,
        0x40024000,
        0x40028000,
        0x40034000,
        {0x40014000: 5, 0x4001C000: 8, 0x40028000: 12, 0x40034000: 22},
    ),
    "pico2": _rp(
        0x40010000,
        0x40020000,
        0x40048000,
        0x40050000,
        0x40070000,
        {0x40028000: 6, 0x40038000: 9, 0x40050000: 14, 0x40070000: 26},
    ),
    "nrf52840-dk": _NRF52,
    "nano33ble": _NRF52,
}
