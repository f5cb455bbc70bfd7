#ifndef LAYER_PROGRAM_H
#define LAYER_PROGRAM_H

/* What the program of layers needs from where it runs: input, output, memory. */
#include <stddef.h>
#include <stdint.h>

typedef void (*layer_call)(const void *params, const void *const *in, void *const *out,
                           void *scratch);

/* The generated part: the kernels' calls, and the sizes of their parameters and fields. */
extern const layer_call layer_calls[];
extern const uint32_t layer_layout[];
extern const uint32_t layer_layout_words;

/* Read all bytes; return 0 where the input ends before the first. */
int layer_get(void *p, size_t size);
void layer_put(const void *p, size_t size);
void layer_flush(void);

/* Memory of exactly `size` bytes; a step beyond it is found, at the latest when it is given back.
 * All that was taken since a mark is given back at once. */
void *layer_take(size_t size, int fill);
int layer_mark(void);
void layer_release(int mark);

void layer_run_all(void);

#endif
