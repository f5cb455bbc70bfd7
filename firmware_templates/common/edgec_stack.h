/* Stack high-water of a function, by painting what lies below and looking what changed. */
#ifndef EDGEC_STACK_H
#define EDGEC_STACK_H

#include <stdint.h>

/* Paints the last words of the stack; call before each use of edgec_stack_intact(). */
void edgec_stack_guard(void);

/* Zero when something wrote over the last words: the stack was too small. */
int edgec_stack_intact(void);

/* Calls run(), stores the bytes of stack it used, returns what run() returned. */
int edgec_stack_measure(int (*run)(void), uint32_t *used_bytes);

/* Bytes the stack may use below the caller. */
uint32_t edgec_stack_free(void);

#endif
