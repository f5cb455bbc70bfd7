/* Both console drivers over standard input and output, and a cycle counter that soon wraps. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "driver/uart.h"
#include "driver/usb_serial_jtag.h"
#include "esp_cpu.h"
#include "esp_timer.h"
#include "freertos/task.h"
#include "sdkconfig.h"

#define STACK_BYTES (256u * 1024u)
#define SPEED 2000u /* times faster than it says, so that 2^32 cycles pass within a test */

void app_main(void);

static int installed;
static int64_t started_ns;
static uint8_t *stack_start;

static int64_t now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void check(int right, const char *what)
{
    if (!right) {
        (void)fprintf(stderr, "fake ESP-IDF: %s\n", what);
        abort();
    }
}

static int read_some(void *data, uint32_t bytes, TickType_t wait)
{
    check(installed, "read before the driver was installed");
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    if (poll(&input, 1, wait == 0 ? 0 : -1) <= 0) {
        return 0;
    }
    const ssize_t got = read(STDIN_FILENO, data, bytes);
    if (got <= 0) {
        exit(0);
    }
    return (int)got;
}

esp_err_t uart_driver_install(uart_port_t port, int receive, int transmit, int queue, void *handle,
                              int flags)
{
    check(port == UART_NUM_0 && receive > 128 && transmit == 0, "uart_driver_install");
    check(queue == 0 && handle == NULL && flags == 0, "uart_driver_install");
    installed = 1;
    return 0;
}

esp_err_t uart_param_config(uart_port_t port, const uart_config_t *config)
{
    check(port == UART_NUM_0 && config->baud_rate == 115200, "uart_param_config");
    check(config->data_bits == UART_DATA_8_BITS, "uart_param_config");
    check(config->source_clk == UART_SCLK_DEFAULT, "uart_param_config");
    return 0;
}

int uart_read_bytes(uart_port_t port, void *data, uint32_t bytes, TickType_t wait)
{
    check(port == UART_NUM_0, "uart_read_bytes");
    return read_some(data, bytes, wait);
}

int uart_write_bytes(uart_port_t port, const void *data, size_t bytes)
{
    check(port == UART_NUM_0 && installed, "uart_write_bytes");
    return (int)write(STDOUT_FILENO, data, bytes);
}

esp_err_t usb_serial_jtag_driver_install(usb_serial_jtag_driver_config_t *config)
{
    check(config->rx_buffer_size > 64 && config->tx_buffer_size > 64, "driver_install");
    installed = 1;
    return 0;
}

int usb_serial_jtag_read_bytes(void *data, uint32_t bytes, TickType_t wait)
{
    return read_some(data, bytes, wait);
}

/* Takes a part only, as a full buffer would. */
int usb_serial_jtag_write_bytes(const void *data, size_t bytes, TickType_t wait)
{
    check(installed && wait == portMAX_DELAY, "usb_serial_jtag_write_bytes");
    return (int)write(STDOUT_FILENO, data, bytes > 100 ? 100 : bytes);
}

int64_t esp_timer_get_time(void)
{
    return (now_ns() - started_ns) * SPEED / 1000;
}

uint32_t esp_cpu_get_cycle_count(void)
{
    const int64_t mhz = CONFIG_ESP_DEFAULT_CPU_FREQ_MHZ;
    return (uint32_t)(0xFFFFF000 + (now_ns() - started_ns) * SPEED * mhz / 1000);
}

uint8_t *pxTaskGetStackStart(TaskHandle_t task)
{
    check(task == NULL, "pxTaskGetStackStart");
    return stack_start;
}

int main(void)
{
    started_ns = now_ns();
    stack_start = (uint8_t *)__builtin_frame_address(0) - STACK_BYTES;
    app_main();
    return 1;
}
