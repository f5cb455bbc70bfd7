/* STM32F746: what the shared parts must know. RM0385. */
#ifndef EDGEC_BOARD_H
#define EDGEC_BOARD_H

/* Prefetch, ART and 7 wait states, 3.3.2: up to 216 MHz at 2.7 V or more. */
#define FLASH_ACR_FOR_CORE_HZ ((3u << 8) | 7u)

#if defined(EDGEC_BOARD_NUCLEO_F746ZG) /* USART3 on PD8 and PD9, APB1: UM1974 6.9 */
#define USART 0x40004800u
#define USART_CLOCK_REGISTER 0x40023840u /* RCC_APB1ENR, 5.3.13 */
#define USART_CLOCK (1u << 18)
#define GPIO 0x40020C00u
#define GPIO_CLOCK_REGISTER 0x40023830u /* RCC_AHB1ENR, 5.3.10 */
#define GPIO_CLOCK (1u << 3)
#define GPIO_TX_PIN 8u
#define GPIO_AF 7u
#else
#error "which board is it?"
#endif

#endif
