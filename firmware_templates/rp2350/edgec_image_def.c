/* What RP2350's boot ROM looks for in the first 4 KiB of flash: this is an executable for an Arm core
 * in secure state. Data sheet 5.9.5.1; the vector table is where flash begins. */
#include <stdint.h>

__attribute__((section(".edgec_image_def"), used)) static const uint32_t image_def[] = {
    0xFFFFDED3u, /* a block begins */
    0x10210142u, /* IMAGE_TYPE, one word: EXE, secure, Arm, RP2350 */
    0x000001FFu, /* the last item: one word came before it */
    0x00000000u, /* the next block is this one: there is no other */
    0xAB123579u, /* it ends */
};
