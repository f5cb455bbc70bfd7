/* Where Arm's MPS2 and MPS3 FPGA images put what the firmware uses; AN505 and AN547 are secure. */
#ifndef EDGEC_BOARD_H
#define EDGEC_BOARD_H

#if defined(EDGEC_BOARD_AN547)
#define UART_BASE 0x59303000u
#define UART_IRQ 33u /* receive; transmit is the next */
#define TIMER_HZ 32000000u
#define SYSTEM_COUNTER_CONTROL 0x58100000u
#define SYSTEM_COUNTER_READ 0x58101000u
#elif defined(EDGEC_BOARD_AN505)
#define UART_BASE 0x50200000u
#define UART_IRQ 32u
#define TIMER_HZ 20000000u
#define TIMER_BASE 0x50000000u
#define DUAL_TIMER_BASE 0x50002000u
#else /* AN385, AN386, AN500 */
#define UART_BASE 0x40004000u
#define UART_IRQ 0u
#define TIMER_HZ 25000000u
#define TIMER_BASE 0x40000000u
#define DUAL_TIMER_BASE 0x40002000u
#endif

#endif
