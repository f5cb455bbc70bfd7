/* STM32L4+: which UART reaches the host. RM0432. */
#ifndef EDGEC_BOARD_H
#define EDGEC_BOARD_H

#if defined(EDGEC_BOARD_NUCLEO_L4R5ZI) /* LPUART1 on PG7 and PG8: UM2179 6.10 */
#define USART 0x40008000u
#define USART_CLOCK_REGISTER 0x4002105Cu /* RCC_APB1ENR2 */
#define USART_CLOCK (1u << 0)
#define GPIO 0x48001800u
#define GPIO_CLOCK_REGISTER 0x4002104Cu /* RCC_AHB2ENR */
#define GPIO_CLOCK (1u << 6)
#define GPIO_TX_PIN 7u
#define GPIO_AF 8u
#else
#error "which board is it?"
#endif

#endif
