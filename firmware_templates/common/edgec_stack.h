/* Stack high-water of a function, by painting what lies below and looking what changed. */
#ifndef EDGEC_STACK_H
#define EDGEC_STACK_H

#include <stdint.h>

/* Calls run(), stores the bytes of stack it used, returns what run() returned. */
int edgec_stack_measure(int (*run)(void), uint32_t *used_bytes);

/* Bytes the stack may use below the caller. */
uint32_t edgec_stack_free(void);

#endif
