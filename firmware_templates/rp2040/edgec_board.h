/* RP2040: where it has what it shares with RP2350. Data sheet: 2.2 addresses, 2.14.3 resets. */
#ifndef EDGEC_BOARD_H
#define EDGEC_BOARD_H

#define CLOCKS_BASE 0x40008000u
#define RESETS_BASE 0x4000C000u
#define RESETS_IO_BANK0 (1u << 5)
#define RESETS_PADS_BANK0 (1u << 8)
#define RESETS_PLL_SYS (1u << 12)
#define RESETS_UART0 (1u << 22)
#define IO_BANK0_BASE 0x40014000u
#define PADS_BANK0_BASE 0x4001C000u
#define XOSC_BASE 0x40024000u
#define PLL_SYS_BASE 0x40028000u
#define UART_BASE 0x40034000u

/* 12 MHz * 125 = 1500 MHz, / 6 / 2. */
#define PLL_POSTDIV1 6u
#define PLL_POSTDIV2 2u
#if EDGEC_CORE_HZ != 125000000u
#error "the PLL is set for 125 MHz"
#endif

#endif
