# Drives ESP-IDF, whose export.sh must have been sourced. make all | flash | monitor | size | erase |
# reset | clean; PORT=/dev/ttyUSB0 says which board; PROFILE=1 times layers, MLPERF=1 speaks that protocol.
BUILD ?= build
PROFILE ?= 0
MLPERF ?= 0
PORT ?=

IDF := idf.py -B $(BUILD) -DEDGEC_PROFILE=$(PROFILE) -DEDGEC_MLPERF=$(MLPERF) $(if $(PORT),-p $(PORT))

.PHONY: all flash monitor size erase reset clean

all:
	$(IDF) build

flash monitor size:
	$(IDF) $@

erase:
	$(IDF) erase-flash

reset:
	esptool --chip @CHIP@ $(if $(PORT),--port $(PORT)) --after hard-reset read-mac

clean:
	rm -rf $(BUILD)
