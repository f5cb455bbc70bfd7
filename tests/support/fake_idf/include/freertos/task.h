#ifndef FAKE_TASK_H
#define FAKE_TASK_H
#include <stdint.h>
typedef void *TaskHandle_t;
uint8_t *pxTaskGetStackStart(TaskHandle_t task);
#endif
