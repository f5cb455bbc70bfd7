#include "edgec_mlperf.h"

#ifdef EDGEC_MLPERF

#include <string.h>

#include "edgec_frame.h"
#include "edgec_hal.h"
#include "edgec_link.h"
#include "edgec_model.h"
#include "edgec_stack.h"
#include "edgec_text.h"

#define FIRMWARE "ULPMark for tinyML Firmware V0.0.1"
#define NO_NUMBER UINT32_MAX

static char command[EDGEC_MLPERF_COMMAND + 1u];
static uint32_t command_length;
static char *next_token;

static uint32_t data_size;
static uint32_t data_filled;
static uint8_t has_results;

/* Ticks before this command; the timer stands still while the firmware waits for one. */
static uint64_t ticks_before;
static uint64_t ticks_start;

static void clock_start(void)
{
    edgec_hal_timer_start();
    ticks_start = edgec_hal_timer_read();
}

static uint64_t clock_ticks(void)
{
    return ticks_before + (edgec_hal_timer_read() - ticks_start);
}

static void clock_stop(void)
{
    ticks_before = clock_ticks();
    edgec_hal_timer_stop();
}

static void print_timestamp(void)
{
    const uint64_t hz = edgec_hal_timer_hz();
    const uint64_t ticks = clock_ticks();
    edgec_text("m-lap-us-");
    edgec_text_number(ticks / hz * 1000000u + ticks % hz * 1000000u / hz);
    edgec_text("\r\n");
}

static void print_number(const char *before, uint32_t value, const char *after)
{
    edgec_text(before);
    edgec_text_number(value);
    edgec_text(after);
    edgec_text("\r\n");
}

/* The next word of the command, as strtok() finds it; NULL at its end. */
static char *take_token(void)
{
    while (*next_token == ' ') {
        ++next_token;
    }
    if (*next_token == 0) {
        return NULL;
    }
    char *token = next_token;
    while (*next_token != 0 && *next_token != ' ') {
        ++next_token;
    }
    if (*next_token == ' ') {
        *next_token++ = 0;
    }
    return token;
}

/* A decimal number below 2^31, or NO_NUMBER. */
static uint32_t to_number(const char *digits)
{
    uint32_t value = 0;
    for (; *digits != 0; ++digits) {
        if (*digits < '0' || *digits > '9' || value > (INT32_MAX - 9u) / 10u) {
            return NO_NUMBER;
        }
        value = value * 10u + (uint32_t)(*digits - '0');
    }
    return value;
}

/* The value of a hexadecimal digit, or NO_NUMBER. */
static uint32_t to_nibble(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return (uint32_t)(digit - '0');
    }
    const char lower = (char)(digit | 0x20);
    return lower >= 'a' && lower <= 'f' ? (uint32_t)(lower - 'a') + 10u : NO_NUMBER;
}

static void db_load(void)
{
    const char *digits = take_token();
    const uint32_t size = digits == NULL ? 0 : to_number(digits);
    if (digits == NULL) {
        edgec_text("e-[Command 'db load' requires the # of bytes]\r\n");
    } else if (size == 0) {
        edgec_text("e-[Command 'db load' must be >0 bytes]\r\n");
    } else if (size > EDGEC_MLPERF_BYTES) {
        edgec_text("e-[Supplied buffer size ");
        edgec_text(digits);
        print_number(" exceeds maximum of ", EDGEC_MLPERF_BYTES, "]");
    } else {
        data_size = size;
        data_filled = 0;
        print_number("m-[Expecting ", size, " bytes]");
    }
}

static void db_print(void)
{
    for (uint32_t i = 0; i < data_size; ++i) {
        edgec_text(i % 8u == 0 ? "m-buffer-" : "-");
        edgec_text_hex(edgec_mlperf_data[i]);
        edgec_text(i % 8u == 7u || i + 1u == data_size ? "\r\n" : "");
    }
}

/* Stores nothing of a command in which anything is wrong. */
static void db_hex(const char *digits)
{
    const uint32_t length = (uint32_t)strlen(digits);
    if (length % 2u != 0) {
        edgec_text("e-[Insufficent number of hex digits]\r\n");
        return;
    }
    for (uint32_t i = 0; i < length; i += 2) {
        if (to_nibble(digits[i]) == NO_NUMBER || to_nibble(digits[i + 1u]) == NO_NUMBER) {
            const char pair[3] = {digits[i], digits[i + 1u], 0};
            edgec_text("e-[Invalid hex digit '");
            edgec_text(pair);
            edgec_text("']\r\n");
            return;
        }
    }
    if (length / 2u > data_size - data_filled) {
        print_number("e-[Command 'db' exceeds the ", data_size - data_filled, " bytes expected]");
        return;
    }
    for (uint32_t i = 0; i < length; i += 2) {
        edgec_mlperf_data[data_filled++] =
            (uint8_t)(to_nibble(digits[i]) << 4 | to_nibble(digits[i + 1u]));
    }
    if (data_filled == data_size) {
        edgec_text("m-load-done\r\n");
    }
}

static void answer_db(void)
{
    const char *word = take_token();
    if (word == NULL) {
        edgec_text("e-[Command 'db' requires a subcommand]\r\n");
    } else if (strcmp(word, "load") == 0) {
        db_load();
    } else if (strcmp(word, "print") == 0) {
        db_print();
    } else {
        db_hex(word);
    }
}

static void print_results(void)
{
    if (has_results == 0) {
        edgec_text("e-[No results: 'infer' comes first]\r\n");
        return;
    }
    edgec_mlperf_results();
}

/* One inference; an input that lives in the arena is copied there anew, as runs overwrite it. */
static int infer_once(void)
{
    edgec_model_load();
    return edgec_model_run();
}

static int infer_many(uint32_t count)
{
    int status = 0;
    for (uint32_t i = 0; i < count && status == 0; ++i) {
        status = infer_once();
        (void)clock_ticks(); /* a counter that wraps must be read now and then */
    }
    if (status != 0) {
        edgec_text("e-[The model returned an error]\r\n");
    }
    return status;
}

static void infer(uint32_t count, uint32_t warmup)
{
    if (data_filled != EDGEC_MLPERF_BYTES) {
        edgec_text("e-[Input db has ");
        edgec_text_number(data_filled);
        print_number(" bytes, expected ", EDGEC_MLPERF_BYTES, "]");
        return;
    }
    has_results = 0;
    edgec_mlperf_load();
    edgec_stack_guard();
    print_number("m-warmup-start-", warmup, "");
    if (infer_many(warmup) != 0) {
        return;
    }
    edgec_text("m-warmup-done\r\n");
    print_number("m-infer-start-", count, "");
    print_timestamp();
    if (infer_many(count) != 0) {
        return;
    }
    print_timestamp();
    edgec_text("m-infer-done\r\n");
    if (edgec_stack_intact() == 0) {
        edgec_text("e-[The stack is too small]\r\n");
        return;
    }
    has_results = 1;
    print_results();
}

static void answer_infer(void)
{
    const char *first = take_token();
    const char *second = first == NULL ? NULL : take_token();
    const uint32_t count = first == NULL ? 1 : to_number(first);
    const uint32_t warmup = second == NULL ? 10 : to_number(second);
    if (count == 0 || count == NO_NUMBER) {
        edgec_text("e-[Inference iterations must be >0]\r\n");
    } else if (warmup == NO_NUMBER) {
        edgec_text("e-[Inference warmup must be >=0]\r\n");
    } else {
        infer(count, warmup);
    }
}

static void answer_help(void)
{
    edgec_text(FIRMWARE "\r\n\r\n"
                        "help           : this\r\n"
                        "name           : the device's name\r\n"
                        "profile        : firmware and model\r\n"
                        "timestamp      : microseconds at work\r\n"
                        "db load N      : expect N bytes of input\r\n"
                        "db HH[HH]*     : the next of them\r\n"
                        "db print       : all of them\r\n"
                        "infer N=1 W=10 : W inferences, then N that are timed\r\n"
                        "results        : of the last inference\r\n"
                        "xcrc           : CRC32 of the input so far\r\n"
                        "xid            : model file, target and timer\r\n"
                        "xmem           : bytes of stack one inference takes, and there are\r\n");
}

/* Beyond the benchmark: what a host must know to trust the numbers. */
static void answer_id(void)
{
    static const char *const timers[] = {"none",    "virtual", "clock", "dwt",
                                         "systick", "timer",   "cpu"};
    const uint8_t kind = edgec_hal_timer_kind();
    edgec_text("m-xid-[model=");
    for (uint32_t i = 0; i < sizeof edgec_model.sha256; ++i) {
        edgec_text_hex(edgec_model.sha256[i]);
    }
    edgec_text(",build=");
    edgec_text(edgec_model.build);
    edgec_text(",target=");
    edgec_text(edgec_model.target);
    edgec_text(",timer=");
    edgec_text(kind < sizeof timers / sizeof *timers ? timers[kind] : "unknown");
    print_number(",hz=", edgec_hal_timer_hz(), "]");
}

/* The protocol has no checksum: by this the host knows that the input arrived as it was sent. */
static void answer_crc(void)
{
    const uint32_t crc = edgec_crc32(0, edgec_mlperf_data, data_filled);
    edgec_text("m-xcrc-[");
    for (int shift = 24; shift >= 0; shift -= 8) {
        edgec_text_hex((uint8_t)(crc >> shift));
    }
    edgec_text("]\r\n");
}

static void answer_memory(void)
{
    uint32_t used = 0;
    has_results = 0;
    if (edgec_stack_measure(infer_once, &used) != 0) {
        edgec_text("e-[The model returned an error]\r\n");
        return;
    }
    edgec_text("m-xmem-[stack=");
    edgec_text_number(used);
    edgec_text(",free=");
    edgec_text_number(edgec_stack_free());
    print_number(",arena=", edgec_model.arena_bytes, "]");
}

static void dispatch(const char *word)
{
    if (strcmp(word, "name") == 0) {
        edgec_text("m-name-dut-[" EDGEC_MLPERF_VENDOR "]\r\n");
    } else if (strcmp(word, "profile") == 0) {
        edgec_text("m-profile-[" FIRMWARE "]\r\nm-model-[");
        edgec_text(edgec_mlperf.model);
        edgec_text("]\r\n");
    } else if (strcmp(word, "timestamp") == 0) {
        print_timestamp();
    } else if (strcmp(word, "db") == 0) {
        answer_db();
    } else if (strcmp(word, "infer") == 0) {
        answer_infer();
    } else if (strcmp(word, "results") == 0) {
        print_results();
    } else if (strcmp(word, "help") == 0) {
        answer_help();
    } else if (strcmp(word, "xid") == 0) {
        answer_id();
    } else if (strcmp(word, "xcrc") == 0) {
        answer_crc();
    } else if (strcmp(word, "xmem") == 0) {
        answer_memory();
    } else {
        edgec_text("e-[Unknown command: ");
        edgec_text(word);
        edgec_text("]\r\n");
    }
}

static void answer_command(void)
{
    clock_start();
    if (command_length > EDGEC_MLPERF_COMMAND) {
        print_number("e-[Command is longer than ", EDGEC_MLPERF_COMMAND, " characters]");
    } else {
        command[command_length] = 0;
        next_token = command;
        const char *word = take_token();
        dispatch(word == NULL ? "" : word);
    }
    command_length = 0;
    edgec_text("m-ready\r\n");
    clock_stop();
}

void edgec_link_start(void)
{
    clock_start();
    edgec_text("m-timestamp-mode-performance\r\n");
    print_timestamp();
    answer_id();
    edgec_text("m-init-done\r\nm-ready\r\n");
    clock_stop();
}

void edgec_link_feed(uint8_t byte)
{
    if (byte == '%') {
        answer_command();
    } else if (byte >= ' ' && byte < 0x7Fu && command_length <= EDGEC_MLPERF_COMMAND) {
        /* The last place is never read: it only says that the command is too long. */
        command[command_length++] = (char)byte;
    }
}

void edgec_link_log(const char *text)
{
    edgec_text("\r\ne-[");
    edgec_text(text);
    edgec_text("]\r\n");
}

#endif
