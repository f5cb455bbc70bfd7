#ifndef FAKE_ESP_ERR_H
#define FAKE_ESP_ERR_H
#include <stdlib.h>
typedef int esp_err_t;
#define ESP_ERROR_CHECK(call) ((call) == 0 ? (void)0 : abort())
#endif
