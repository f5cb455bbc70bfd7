/* Text to the host without printf: what a small core can afford. */
#ifndef EDGEC_TEXT_H
#define EDGEC_TEXT_H

#include <stdint.h>

void edgec_text(const char *text);
void edgec_text_number(uint64_t value);
void edgec_text_hex(uint8_t value);

/* Three decimals, rounded as printf("%.3f") does, to even where two are as near; any float32. */
void edgec_text_milli(float value);

#endif
