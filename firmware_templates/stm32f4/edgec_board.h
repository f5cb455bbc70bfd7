/* Which USART reaches the host, and on which pins: the board's user manual. The receiver's pin is the
 * one after the transmitter's. */
#ifndef EDGEC_BOARD_H
#define EDGEC_BOARD_H

/* Prefetch, both caches and 5 wait states, RM0090 3.5.1: up to 168 and 180 MHz at 2.7 V or more. */
#define FLASH_ACR_FOR_CORE_HZ ((7u << 8) | 5u)

#if defined(EDGEC_BOARD_NETDUINOPLUS2) /* USART6 on PC6 (D1) and PC7 (D0), APB2 */
#define USART 0x40011400u
#define USART_CLOCK_REGISTER 0x40023844u /* RCC_APB2ENR, RM0090 7.3.14 */
#define USART_CLOCK (1u << 5)
#define USART_DIVIDER 2u
#define GPIO 0x40020800u
#define GPIO_CLOCK (1u << 2)
#define GPIO_TX_PIN 6u
#define GPIO_AF 8u
#elif defined(EDGEC_BOARD_NUCLEO_F446RE) || defined(EDGEC_BOARD_STM32F4DISCOVERY)
/* USART2 on PA2 and PA3, APB1: UM1724 6.8, UM1472 6. */
#define USART 0x40004400u
#define USART_CLOCK_REGISTER 0x40023840u /* RCC_APB1ENR, RM0090 7.3.13 */
#define USART_CLOCK (1u << 17)
#define USART_DIVIDER 4u
#define GPIO 0x40020000u
#define GPIO_CLOCK (1u << 0)
#define GPIO_TX_PIN 2u
#define GPIO_AF 7u
#else
#error "which board is it?"
#endif

#endif
