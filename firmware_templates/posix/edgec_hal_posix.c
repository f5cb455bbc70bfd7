/* A process as a board: frames over standard input and output, the monotonic clock. */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "edgec_hal.h"

#define STACK_BYTES (256u * 1024u)

static uintptr_t stack_limit;

void edgec_hal_init(void)
{
    stack_limit = (uintptr_t)__builtin_frame_address(0) - STACK_BYTES;
}

int edgec_hal_getc(void)
{
    static uint8_t buffer[2048];
    static size_t next;
    static size_t end;
    if (next == end) {
        ssize_t got;
        do {
            got = read(STDIN_FILENO, buffer, sizeof buffer);
        } while (got < 0 && errno == EINTR);
        if (got <= 0) {
            return -1;
        }
        next = 0;
        end = (size_t)got;
    }
    return buffer[next++];
}

void edgec_hal_write(const uint8_t *data, size_t bytes)
{
    while (bytes > 0) {
        const ssize_t sent = write(STDOUT_FILENO, data, bytes);
        if (sent < 0 && errno != EINTR) {
            _exit(1);
        }
        if (sent > 0) {
            data += sent;
            bytes -= (size_t)sent;
        }
    }
}

void edgec_hal_timer_start(void) {}

uint64_t edgec_hal_timer_read(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void edgec_hal_timer_stop(void) {}

uint32_t edgec_hal_timer_hz(void)
{
    return 1000000000u;
}

uint8_t edgec_hal_timer_kind(void)
{
    return EDGEC_TIMER_NANOSECONDS;
}

uintptr_t edgec_hal_stack_limit(void)
{
    return stack_limit;
}

/* getrusage() would count what the process was before it became this program. */
/* What a line of a file in /proc says in kilobytes; 0 without such a line. */
static uint32_t told_kib(const char *path, const char *label)
{
    static char text[4096];
    const int file = open(path, O_RDONLY);
    if (file < 0) {
        return 0;
    }
    const ssize_t bytes = read(file, text, sizeof text - 1);
    (void)close(file);
    if (bytes <= 0) {
        return 0;
    }
    text[bytes] = '\0';
    const char *at = strstr(text, label);
    uint32_t kib = 0;
    if (at != NULL) {
        for (at += strlen(label); *at == ' ' || *at == '\t'; ++at) {
        }
        for (; *at >= '0' && *at <= '9'; ++at) {
            kib = 10u * kib + (uint32_t)(*at - '0');
        }
    }
    return kib;
}

uint32_t edgec_hal_peak_kib(void)
{
    /* Linux enters pages into VmHWM in batches: of a small program it may know one page. What is
     * there now it counts one by one, and nothing here is ever given back. */
    const uint32_t peak = told_kib("/proc/self/status", "\nVmHWM:");
    const uint32_t now = told_kib("/proc/self/smaps_rollup", "\nRss:");
    return peak > now ? peak : now;
}
