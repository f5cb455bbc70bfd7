/* RP2350: where it has what it shares with RP2040. Data sheet: 2.2 addresses, 7.5.3 resets. */
#ifndef EDGEC_BOARD_H
#define EDGEC_BOARD_H

#define CLOCKS_BASE 0x40010000u
#define RESETS_BASE 0x40020000u
#define RESETS_IO_BANK0 (1u << 6)
#define RESETS_PADS_BANK0 (1u << 9)
#define RESETS_PLL_SYS (1u << 14)
#define RESETS_UART0 (1u << 26)
#define IO_BANK0_BASE 0x40028000u
#define PADS_BANK0_BASE 0x40038000u
#define XOSC_BASE 0x40048000u
#define PLL_SYS_BASE 0x40050000u
#define UART_BASE 0x40070000u

/* 12 MHz * 125 = 1500 MHz, / 5 / 2. */
#define PLL_POSTDIV1 5u
#define PLL_POSTDIV2 2u
#if EDGEC_CORE_HZ != 150000000u
#error "the PLL is set for 150 MHz"
#endif

#endif
