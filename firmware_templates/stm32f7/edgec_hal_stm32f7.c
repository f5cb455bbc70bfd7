/* STM32F7: what to start, and in which order. */
#include "edgec_caches.h"
#include "edgec_clock.h"
#include "edgec_cycles.h"
#include "edgec_hal.h"
#include "edgec_usart.h"

void edgec_hal_init(void)
{
    edgec_caches_enable();
    edgec_clock_start();
    edgec_usart_start(EDGEC_USART_DIVIDER(edgec_bus_hz(4)));
    edgec_cycles_choose();
}
