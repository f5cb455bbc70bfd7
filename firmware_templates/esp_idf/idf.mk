# Drives ESP-IDF, whose export.sh must have been sourced. make all | flash | monitor | size | erase |
# reset | bench | clean; PORT=/dev/ttyUSB0 says which board; PROFILE=1 times layers, MLPERF=1 speaks that protocol.
BUILD ?= build
PROFILE ?= 0
MLPERF ?= 0
PORT ?=

IDF := idf.py -B $(BUILD) -DEDGEC_PROFILE=$(PROFILE) -DEDGEC_MLPERF=$(MLPERF) $(if $(PORT),-p $(PORT))

.PHONY: all flash monitor size erase reset bench clean

all:
	$(IDF) build

flash monitor size:
	$(IDF) $@

erase:
	$(IDF) erase-flash

reset:
	esptool --chip @CHIP@ $(if $(PORT),--port $(PORT)) --after hard-reset read-mac

# Sends a fixed input, and shows counts if the answer is the reference's; needs pyserial.
bench:
	python3 host/board.py bench --port "$(or $(PORT),$(error PORT=... which serial port is it?))"

clean:
	rm -rf $(BUILD)
