/* Fuzzes the MLPerf Tiny protocol: any bytes; with FUZZ_FLOATS for input that is float32. */
#include "fuzz_board.h"

#include "edgec_frame.c"
#include "edgec_mlperf.c"
#include "edgec_mlperf_tensor.c"
#include "edgec_text.c"

#ifndef FUZZ_FLOATS
static const int8_t map[256] = {1, 2, 3, -128, 127};
#endif

const edgec_mlperf_task edgec_mlperf = {
    .model = "fuzz",
#ifndef FUZZ_FLOATS
    .map = map,
#endif
    .input_scale = 0.5f,
    .input_zero = 83,
    .output_scale = 0.25f,
    .output_zero = -128,
};

static char line[400];
static size_t line_length;
static uint32_t ready;
static uint32_t names;

/* Whatever comes in, what goes out is lines of text that end as the protocol says. */
void fuzz_output(const uint8_t *data, size_t bytes)
{
    for (size_t i = 0; i < bytes; ++i) {
        const char c = (char)data[i];
        CHECK((c >= ' ' && c < 0x7F) || c == '\r' || c == '\n');
        CHECK(line_length < sizeof line - 1);
        line[line_length++] = c;
        if (c == '\n') {
            CHECK(line_length >= 2 && line[line_length - 2] == '\r');
            line[line_length - 2] = 0;
            ready += strcmp(line, "m-ready") == 0;
            names += strcmp(line, "m-name-dut-[edgec]") == 0;
            line_length = 0;
        }
    }
}

static void feed(const char *text)
{
    for (; *text != 0; ++text) {
        edgec_link_feed((uint8_t)*text);
    }
}

static void clear(void)
{
    command_length = 0;
    data_size = 0;
    data_filled = 0;
    has_results = 0;
    line_length = 0;
    ready = 0;
    names = 0;
    runs = 0;
    memset(edgec_mlperf_data, 0, sizeof edgec_mlperf_data);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    clear();
    edgec_link_start();
    CHECK(ready == 1);
    uint32_t commands = 1;
    for (size_t i = 0; i < count; ++i) {
        edgec_link_feed(bytes[i]);
        commands += bytes[i] == '%';
    }
    /* Every command has one answer, and whatever came, the next one is understood. */
    CHECK(ready == commands);
    CHECK(data_filled <= data_size && data_size <= EDGEC_MLPERF_BYTES);
    feed("%");
    names = 0;
    feed("name%");
    CHECK(names == 1 && ready == commands + 2);
    return 0;
}
