/* STM32H743: which USART reaches the host. RM0433. */
#ifndef EDGEC_BOARD_H
#define EDGEC_BOARD_H

#if defined(EDGEC_BOARD_NUCLEO_H743ZI2) /* USART3 on PD8 and PD9: UM2407 6.9 */
#define USART 0x40004800u
#define USART_CLOCK_REGISTER 0x580244E8u /* RCC_APB1LENR */
#define USART_CLOCK (1u << 18)
#define GPIO 0x58020C00u
#define GPIO_CLOCK_REGISTER 0x580244E0u /* RCC_AHB4ENR */
#define GPIO_CLOCK (1u << 3)
#define GPIO_TX_PIN 8u
#define GPIO_AF 7u
#else
#error "which board is it?"
#endif

#endif
