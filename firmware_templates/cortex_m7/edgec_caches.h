/* The instruction and data caches of a Cortex-M7. */
#ifndef EDGEC_CACHES_H
#define EDGEC_CACHES_H

/* Empties both caches and switches them on. */
void edgec_caches_enable(void);

#endif
