#include "edgec_hal.h"
#include "edgec_link.h"

int main(void)
{
    edgec_hal_init();
    edgec_link_start();
    for (;;) {
        const int byte = edgec_hal_getc();
        if (byte < 0) {
            return 0;
        }
        edgec_link_feed((uint8_t)byte);
    }
}
