/* nRF52840: what differs from the other nRF chips. Its core always runs at 64 MHz. */
#ifndef EDGEC_BOARD_H
#define EDGEC_BOARD_H

#if EDGEC_CORE_HZ != 64000000u
#error "an nRF52840 runs at 64 MHz"
#endif

#define UART_BAUDRATE_115200 0x01D60000u /* 6.33.10.14 */
#define NVMC_ICACHECNF 0x4001E540u       /* 4.3.8.7 */

/* Pins of the second port follow those of the first. */
#if defined(EDGEC_BOARD_NRF52840_DK) /* to the interface MCU: DK guide, 7.2 */
#define TX_PIN 6u
#define RX_PIN 8u
#elif defined(EDGEC_BOARD_NANO33BLE) /* TX and RX of the header: P1.03, P1.10 */
#define TX_PIN (32u + 3u)
#define RX_PIN (32u + 10u)
#else
#error "which board is it?"
#endif

#endif
