/* nRF51822: what differs from the other nRF chips. The core and TIMER0 both run at 16 MHz. */
#ifndef EDGEC_BOARD_H
#define EDGEC_BOARD_H

#if EDGEC_CORE_HZ != 16000000u
#error "an nRF51 runs at 16 MHz"
#endif

#define UART_BAUDRATE_115200 0x01D7E000u /* RM 29.10.13 */

#if defined(EDGEC_BOARD_MICROBIT) /* its schematic: TGT_TX and TGT_RX */
#define TX_PIN 24u
#define RX_PIN 25u
#else
#error "which board is it?"
#endif

#endif
