/* Espressif chips, on ESP-IDF 5.1 or later: its UART or USB driver, its cycle counter, its main task.
 * The functions are those of the ESP-IDF programming guide. FreeRTOS ticks while a model runs, 100
 * times a second: what that takes is in the times. */
#include "driver/uart.h"
#include "driver/usb_serial_jtag.h"
#include "edgec_hal.h"
#include "esp_cpu.h"
#include "esp_err.h"
#include "esp_timer.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "sdkconfig.h"

#if EDGEC_CORE_HZ != CONFIG_ESP_DEFAULT_CPU_FREQ_MHZ * 1000000
#error "sdkconfig has another clock than the firmware was rendered for"
#endif

#define RECEIVE_BYTES 4096
#define CYCLES_PER_US (EDGEC_CORE_HZ / 1000000u)

int main(void);
void app_main(void);

static uint32_t start_cycles;
static int64_t start_us;

void app_main(void)
{
    (void)main();
}

#if defined(CONFIG_EDGEC_CONSOLE_USB_SERIAL_JTAG)

void edgec_hal_init(void)
{
    usb_serial_jtag_driver_config_t config = {.tx_buffer_size = RECEIVE_BYTES,
                                              .rx_buffer_size = RECEIVE_BYTES};
    ESP_ERROR_CHECK(usb_serial_jtag_driver_install(&config));
}

static int receive(uint8_t *data, uint32_t bytes, TickType_t wait)
{
    return usb_serial_jtag_read_bytes(data, bytes, wait);
}

static int transmit(const uint8_t *data, size_t bytes)
{
    return usb_serial_jtag_write_bytes(data, bytes, portMAX_DELAY);
}

#else

void edgec_hal_init(void)
{
    const uart_config_t config = {.baud_rate = (int)EDGEC_BAUD,
                                  .data_bits = UART_DATA_8_BITS,
                                  .parity = UART_PARITY_DISABLE,
                                  .stop_bits = UART_STOP_BITS_1,
                                  .flow_ctrl = UART_HW_FLOWCTRL_DISABLE,
                                  .source_clk = UART_SCLK_DEFAULT};
    ESP_ERROR_CHECK(uart_driver_install(UART_NUM_0, RECEIVE_BYTES, 0, 0, NULL, 0));
    ESP_ERROR_CHECK(uart_param_config(UART_NUM_0, &config));
}

static int receive(uint8_t *data, uint32_t bytes, TickType_t wait)
{
    return uart_read_bytes(UART_NUM_0, data, bytes, wait);
}

static int transmit(const uint8_t *data, size_t bytes)
{
    return uart_write_bytes(UART_NUM_0, data, bytes);
}

#endif

/* Takes what has come in one go, and waits only when nothing has. */
int edgec_hal_getc(void)
{
    static uint8_t buffer[256];
    static int next;
    static int end;
    if (next == end) {
        next = 0;
        end = receive(buffer, sizeof buffer, 0);
        while (end <= 0) {
            end = receive(buffer, 1, portMAX_DELAY);
        }
    }
    return buffer[next++];
}

void edgec_hal_write(const uint8_t *data, size_t bytes)
{
    while (bytes > 0) {
        const int sent = transmit(data, bytes);
        if (sent > 0) {
            data += sent;
            bytes -= (size_t)sent;
        }
    }
}

void edgec_hal_timer_start(void)
{
    start_us = esp_timer_get_time();
    start_cycles = esp_cpu_get_cycle_count();
}

/* The cycle counter wraps after 18 s at 240 MHz; the microsecond timer says how often it has. */
uint64_t edgec_hal_timer_read(void)
{
    const uint32_t cycles = esp_cpu_get_cycle_count() - start_cycles;
    const uint64_t about = (uint64_t)(esp_timer_get_time() - start_us) * CYCLES_PER_US;
    const uint64_t half = (uint64_t)1 << 31;
    const uint64_t wraps = (about + half - cycles) >> 32;
    return (wraps << 32) + cycles;
}

void edgec_hal_timer_stop(void) {}

uint32_t edgec_hal_timer_hz(void)
{
    return EDGEC_CORE_HZ;
}

uint8_t edgec_hal_timer_kind(void)
{
    return EDGEC_TIMER_CPU;
}

uintptr_t edgec_hal_stack_limit(void)
{
    return (uintptr_t)pxTaskGetStackStart(NULL);
}
