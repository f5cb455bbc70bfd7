/* Runs single layers that come as data: parameters, weights, inputs. Protocol: layer_program.py. */
#include "layer_program.h"

#include <string.h>

#define ENDS 16

typedef struct {
    layer_call run;
    void *params;
    uint32_t inputs, outputs;
    uint32_t in_bytes[ENDS], out_bytes[ENDS];
    uint32_t scratch_bytes;
    void *in[ENDS];
    uint32_t overlaps;
    uint32_t over[ENDS][2]; /* input that the output may lie over, and how far below its start */
} layer;

static uint32_t word(void)
{
    uint32_t value = 0;
    (void)layer_get(&value, sizeof value);
    return value;
}

static void run(const layer *l, const void *const *in, void *const *out, int fill)
{
    void *scratch = l->scratch_bytes > 0 ? layer_take(l->scratch_bytes, fill) : NULL;
    l->run(l->params, in, out, scratch);
}

static int same_over(const layer *l, const uint32_t *over, void *const *want)
{
    const uint32_t position = over[0], distance = over[1];
    size_t size = distance + l->in_bytes[position];
    size = size > l->out_bytes[0] ? size : l->out_bytes[0];
    uint8_t *block = layer_take(size, 0x33);
    const void *in[ENDS];
    for (uint32_t i = 0; i < l->inputs; i++) {
        in[i] = l->in[i];
    }
    memcpy(block + distance, l->in[position], l->in_bytes[position]);
    in[position] = block + distance;
    void *const out[] = {block};
    run(l, in, out, 0x77);
    return memcmp(block, want[0], l->out_bytes[0]) == 0;
}

static void sample(const layer *l)
{
    const void *in[ENDS];
    void *out[ENDS];
    const int mark = layer_mark();
    for (uint32_t i = 0; i < l->inputs; i++) {
        (void)layer_get(l->in[i], l->in_bytes[i]);
        void *copy = layer_take(l->in_bytes[i], 0);
        memcpy(copy, l->in[i], l->in_bytes[i]);
        in[i] = copy;
    }
    for (uint32_t i = 0; i < l->outputs; i++) {
        out[i] = layer_take(l->out_bytes[i], 0xa5);
    }
    run(l, in, out, 0x5a);
    uint8_t verdict = 0;
    for (uint32_t i = 0; i < l->inputs; i++) {
        if (memcmp(in[i], l->in[i], l->in_bytes[i]) != 0) {
            verdict |= 1;
        }
    }
    for (uint32_t i = 0; i < l->overlaps; i++) {
        if (!same_over(l, l->over[i], out)) {
            verdict |= 2;
        }
    }
    for (uint32_t i = 0; i < l->outputs; i++) {
        layer_put(out[i], l->out_bytes[i]);
    }
    layer_put(&verdict, 1);
    layer_release(mark);
}

static void record(uint32_t number)
{
    static layer l;
    const int mark = layer_mark();
    const uint32_t size = word(), pointers = word();
    l.run = layer_calls[number];
    l.params = layer_take(size, 0);
    (void)layer_get(l.params, size);
    for (uint32_t i = 0; i < pointers; i++) {
        const uint32_t at = word(), bytes = word();
        void *data = layer_take(bytes, 0);
        (void)layer_get(data, bytes);
        memcpy((char *)l.params + at, &data, sizeof data);
    }
    l.inputs = word();
    for (uint32_t i = 0; i < l.inputs; i++) {
        l.in_bytes[i] = word();
        l.in[i] = layer_take(l.in_bytes[i], 0);
    }
    l.outputs = word();
    for (uint32_t i = 0; i < l.outputs; i++) {
        l.out_bytes[i] = word();
    }
    l.scratch_bytes = word();
    l.overlaps = word();
    for (uint32_t i = 0; i < l.overlaps; i++) {
        l.over[i][0] = word();
        l.over[i][1] = word();
    }
    for (uint32_t samples = word(); samples > 0; samples--) {
        sample(&l);
    }
    layer_release(mark);
    layer_flush(); /* what has been answered tells where it stopped */
}

void layer_run_all(void)
{
    uint32_t number;
    layer_put(layer_layout, layer_layout_words * sizeof layer_layout[0]);
    while (layer_get(&number, sizeof number)) {
        record(number);
    }
    layer_flush();
}
