/* The program of layers on this computer: every array is an allocation that a sanitizer watches. */
#include "layer_program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST 256

static void *taken[MOST];
static int count;

int layer_get(void *p, size_t size)
{
    const size_t got = fread(p, 1, size, stdin);
    if (got != size && got != 0) {
        exit(4);
    }
    return got == size;
}

void layer_put(const void *p, size_t size)
{
    (void)fwrite(p, 1, size, stdout);
}

void layer_flush(void)
{
    (void)fflush(stdout);
}

void *layer_take(size_t size, int fill)
{
    void *p = malloc(size);
    if (p == NULL || count == MOST) {
        exit(3);
    }
    memset(p, fill, size);
    taken[count++] = p;
    return p;
}

int layer_mark(void)
{
    return count;
}

void layer_release(int mark)
{
    while (count > mark) {
        free(taken[--count]);
    }
}

int main(void)
{
    layer_run_all();
    return 0;
}
