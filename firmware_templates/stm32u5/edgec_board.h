/* STM32U5: which USART reaches the host. RM0456. */
#ifndef EDGEC_BOARD_H
#define EDGEC_BOARD_H

#if defined(EDGEC_BOARD_NUCLEO_U575ZI_Q) /* USART1 on PA9 and PA10: UM2861 7.10 */
#define USART 0x40013800u
#define USART_CLOCK_REGISTER 0x46020CA4u /* RCC_APB2ENR */
#define USART_CLOCK (1u << 14)
#define GPIO 0x42020000u
#define GPIO_CLOCK_REGISTER 0x46020C8Cu /* RCC_AHB2ENR1 */
#define GPIO_CLOCK (1u << 0)
#define GPIO_TX_PIN 9u
#define GPIO_AF 7u
#else
#error "which board is it?"
#endif

#endif
