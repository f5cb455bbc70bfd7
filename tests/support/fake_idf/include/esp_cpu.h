#ifndef FAKE_ESP_CPU_H
#define FAKE_ESP_CPU_H
#include <stdint.h>
uint32_t esp_cpu_get_cycle_count(void);
#endif
