"""What flash tools print when they fail, and the name edgec gives it.

`source` says where the words are from: `recorded` here with nothing attached; a version whose
source or binary has them; or a public report of someone who had it happen.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Recorded:
    tool: str
    failure: str
    code: int
    text: str
    source: str


OUTPUTS = (
    Recorded(
        "pyocd", "probe-not-found", 1,
        "No connected debug probe matches unique ID '066BFF555'\n"
        "0000626 E No target device available [load_cmd]\n",
        "recorded, 0.46.0",
    ),
    Recorded(
        "pyocd", "probe-not-found", 1,
        "No connected debug probes\n0000455 E No target device available [load_cmd]\n",
        "recorded, 0.46.0",
    ),
    Recorded(
        "pyocd", "permission", 1,
        "0000412 W [Errno 13] Access denied (insufficient permissions) while trying to get the "
        "STLink USB device configuration (VID=0483 PID=374b). This can probably be remedied with a "
        "udev rule. See <https://github.com/pyocd/pyOCD/tree/master/udev> for help. [usb]\n"
        "No connected debug probe matches unique ID '066BFF555'\n",
        "source of 0.46.0, probe/stlink/usb.py",
    ),
    Recorded(
        "pyocd", "probe-busy", 1,
        "0001200 C Unable to claim interface for probe 0240000031 [__main__]\n",
        "source of 0.46.0, pyusb_v2_backend.py",
    ),
    Recorded(
        "pyocd", "no-answer", 1,
        "0001337 C SWD/JTAG communication failure (No ACK); check USB cable, reduce debugger clock "
        "[__main__]\n",
        "source of 0.46.0, dap_access_cmsis_dap.py",
    ),
    Recorded(
        "pyocd", "no-answer", 1,
        "0000702 C STLink error (9): Get IDCODE error [__main__]\n",
        "source of 0.46.0, probe/stlink/constants.py",
    ),
    Recorded(
        "pyocd", "locked", 1,
        "0000833 W NRF52840 APPROTECT enabled: not automatically unlocking [target_nRF52]\n"
        "0000850 C SWD/JTAG communication failure (FAULT ACK) [__main__]\n",
        "source of 0.46.0, target_nRF52.py",
    ),
    Recorded(
        "pyocd", "unknown-target", 1,
        "0000400 C Target type nosuchpart not recognized. Use 'pyocd list --targets' to see "
        "currently available target types. See <https://pyocd.io/docs/target_support.html> for how "
        "to install additional target support. [__main__]\n",
        "source of 0.46.0, board/board.py",
    ),
    Recorded(
        "pyocd", "probe-firmware", 1,
        "0000600 C STLink 066BFF555 is using an unsupported, older firmware version. Please update "
        "to the latest STLink firmware. [__main__]\n",
        "source of 0.46.0, probe/stlink/stlink.py",
    ),
    Recorded(
        "pyocd", "verify-mismatch", 1,
        "0002000 C STLink error (13): Write verification error [__main__]\n",
        "source of 0.46.0, probe/stlink/constants.py",
    ),
    Recorded(
        "pyocd", "tool-usage", 2,
        "usage: pyocd [-h] [-V] [--help-options]  ...\n"
        "pyocd: error: unrecognized arguments: --bogus\n",
        "recorded, 0.46.0",
    ),
    Recorded(
        "pyocd", "bad-image", 1,
        "0001500 C no memory region defined for address 0x60000000 [__main__]\n",
        "source of 0.46.0, flash/loader.py",
    ),
    Recorded(
        "pyocd", "usb", 1,
        "0003100 C USB Error: [Errno 110] Operation timed out [__main__]\n",
        "source of 0.46.0, probe/stlink/usb.py",
    ),
    Recorded(
        "probe_rs", "probe-not-found", 1,
        "Error: No connected probes were found.\n",
        "source of probe-rs-tools, util/common_options.rs",
    ),
    Recorded(
        "probe_rs", "probe-not-found", 1,
        "Error: Failed to open probe\n\nCaused by:\n    0: Failed to open the debug probe.\n"
        "    1: Probe was not found.\n",
        "probe-rs issue 1178",
    ),
    Recorded(
        "probe_rs", "probe-ambiguous", 1,
        "Error: 2 probes were found: \n    1. STLink V2-1\n    2. STLink V2-1\n",
        "source of probe-rs-tools, util/common_options.rs",
    ),
    Recorded(
        "probe_rs", "permission", 1,
        "Error: Failed to open the debug probe.\n\nCaused by:\n"
        "    0: The debug probe could not be created.\n    1: A USB error occurred.\n"
        "    2: Permission denied (os error 13)\n",
        "the words of a report to probe-rs/zed-extension (5), Linux's error number",
    ),
    Recorded(
        "probe_rs", "probe-busy", 1,
        "Error: Failed to open the debug probe.\n\nCaused by:\n"
        "    0: The debug probe could not be created.\n    1: A USB error occurred.\n"
        "    2: Device or resource busy (os error 16)\n",
        "as the one before",
    ),
    Recorded(
        "probe_rs", "locked", 1,
        "Error: Connecting to the chip was unsuccessful.\n\nCaused by:\n"
        "    0: An ARM specific error occurred.\n    1: An operation could not be performed "
        "because "
        "it lacked the permission to do so: erase_all\n",
        "a user's report on an nRF9160; source of probe-rs, error.rs",
    ),
    Recorded(
        "probe_rs", "unknown-target", 1,
        "Error: The chip 'STM32X' was not found in the database.\n",
        "source of probe-rs-tools, util/common_options.rs",
    ),
    Recorded(
        "probe_rs", "tool-usage", 2,
        "error: unexpected argument '--reset' found\n",
        "clap's words for it; the flag went after 0.32",
    ),
    Recorded(
        "probe_rs", "bad-image", 1,
        "Error: Failed to open the ELF file 'image.elf' for flashing.\n",
        "source of probe-rs-tools, util/common_options.rs",
    ),
    Recorded(
        "openocd", "probe-not-found", 1,
        "Open On-Chip Debugger 0.12.0\nInfo : clock speed 2000 kHz\nError: open failed\n"
        "in procedure 'program'\n** OpenOCD init failed **\nshutdown command invoked\n",
        "recorded, 0.12.0 with an ST-LINK's configuration",
    ),
    Recorded(
        "openocd", "probe-not-found", 1,
        "Open On-Chip Debugger 0.12.0\nError: unable to find a matching CMSIS-DAP device\n"
        "** OpenOCD init failed **\nshutdown command invoked\n",
        "recorded, 0.12.0 with a CMSIS-DAP's configuration",
    ),
    Recorded(
        "openocd", "permission", 1,
        "Error: libusb_open() failed with LIBUSB_ERROR_ACCESS\nError: open failed\n"
        "** OpenOCD init failed **\n",
        "binary of 0.12.0",
    ),
    Recorded(
        "openocd", "probe-busy", 1,
        "Error: libusb_claim_interface() failed with LIBUSB_ERROR_BUSY\nError: open failed\n",
        "binary of 0.12.0",
    ),
    Recorded(
        "openocd", "no-answer", 1,
        "Info : STLINK V2J42S7 (API v2) VID:PID 0483:3748\nInfo : Target voltage: 3.230406\n"
        "Error: init mode failed (unable to connect to the target)\n** OpenOCD init failed **\n",
        "a user's report (airbreak 59); binary of 0.12.0",
    ),
    Recorded(
        "openocd", "verify-mismatch", 1,
        "** Programming Finished **\n** Verify Started **\nError: checksum mismatch - attempting "
        "binary compare\n** Verify Failed **\nshutdown command invoked\n",
        "startup.tcl of 0.12.0",
    ),
    Recorded(
        "openocd", "locked", 1,
        "Error: **** AP lock engaged (see nRF Product Specification - CTRL-AP) ****\n",
        "nrf52 target script",
    ),
    Recorded(
        "openocd", "locked", 1,
        "Error: stm32x device protected\nError: failed erasing sectors 0 to 3\n",
        "source of 0.12.0, flash/nor/stm32f2x.c",
    ),
    Recorded(
        "openocd", "wrong-chip", 1,
        "Warn : UNEXPECTED idcode: 0x2ba01477\nError: expected 1 of 1: 0x1ba01477\n",
        "a user's report (stm32f1-picopwner 36)",
    ),
    Recorded(
        "openocd", "unknown-target", 1,
        "embedded:startup.tcl:28: Error: Can't find target/none.cfg\nin procedure 'script' \n",
        "recorded, 0.12.0",
    ),
    Recorded(
        "stm32cubeprogrammer", "probe-not-found", 1,
        "      STM32CubeProgrammer v2.18.0\n\nError: No debug probe detected.\n",
        "several users' scripts that look for these words",
    ),
    Recorded(
        "stm32cubeprogrammer", "no-answer", 1,
        "ST-LINK SN  : 38FF6F06304E4B3020141243\nST-LINK FW  : V2J42S7\nVoltage     : 3.23V\n"
        "Error: No STM32 target found! If your product embeds Debug Authentication, please perform "
        "a discovery using Debug Authentication\n",
        "a user's report (airbreak 59)",
    ),
    Recorded(
        "stm32cubeprogrammer", "probe-busy", 1,
        "ST-LINK error (DEV_CONNECT_ERR)\n",
        "users' reports",
    ),
    Recorded(
        "stm32cubeprogrammer", "probe-not-found", 1,
        "Error: Serial number not found\n",
        "several users' scripts that look for these words",
    ),
    Recorded(
        "stm32cubeprogrammer", "usb", 1,
        "ST-LINK error (DEV_USB_COMM_ERR)\n",
        "several users' reports: it went after replugging",
    ),
    Recorded(
        "stm32cubeprogrammer", "verify-mismatch", 1,
        "File download complete\nError: Data mismatch found at address 0x08000000\n",
        "a user's test with these words",
    ),
    Recorded(
        "stm32cubeprogrammer", "locked", 0,
        "Error: Failed to download data! If it's a Flash memory, it may be not erased or "
        "protected\n",
        "a user's report to community.st.com; ends with 0",
    ),
    Recorded(
        "jlink", "probe-not-found", 0,
        "SEGGER J-Link Commander V8.24 (Compiled Mar 26 2025 15:34:18)\n"
        "Connecting to J-Link via USB...FAILED: Cannot connect to J-Link.\n",
        "users' reports; ends with 0 without -ExitOnError",
    ),
    Recorded(
        "jlink", "no-answer", 1,
        "Connecting to J-Link via USB...O.K.\nVTref=3.300V\nCannot connect to target.\n",
        "users' scripts that look for these words",
    ),
    Recorded(
        "jlink", "unknown-target", 1,
        "Failed to get index for device name 'Unspecified'.\n",
        "cortex-debug issue 939",
    ),
    Recorded(
        "st_flash", "probe-not-found", 255,
        "st-flash 1.7.0\n2026-11-26T11:13:24 WARN usb.c: Couldn't find any ST-Link devices\n",
        "recorded, 1.7.0",
    ),
    Recorded(
        "st_flash", "permission", 255,
        "2026-11-26T11:13:24 WARN usb.c: Could not open USB device 0x0483:0x374b, access error.\n"
        "2026-11-26T11:13:24 WARN usb.c: Couldn't find any ST-Link devices\n",
        "library of 1.7.0",
    ),
    Recorded(
        "st_flash", "no-answer", 255,
        "Failed to connect to target\nCan not connect to target. Please use 'connect under reset' "
        "and try again\n",
        "library of 1.7.0",
    ),
    Recorded(
        "st_flash", "locked", 255,
        "2026-11-26T11:13:24 ERROR flash_loader.c: Flash memory is write protected\n",
        "library of 1.7.0",
    ),
    Recorded(
        "st_flash", "unknown-target", 255,
        "2026-11-26T11:13:24 WARN common.c: unknown chip id! 0\n",
        "stlink issue 468",
    ),
    Recorded(
        "st_flash", "verify-mismatch", 255,
        "Starting verification of write complete\nVerification of flash failed at offset: 1024\n",
        "library of 1.7.0",
    ),
    Recorded(
        "st_flash", "tool-usage", 1, "invalid command line\n", "binary of 1.7.0"
    ),
    Recorded(
        "esptool", "port-not-found", 2,
        "esptool v5.6.0\nSerial port /dev/ttyNOPE:\n\nERROR: A fatal error occurred: Could not "
        "open "
        "/dev/ttyNOPE, the port is busy or doesn't exist.\n([Errno 2] could not open port "
        "/dev/ttyNOPE: [Errno 2] No such file or directory: '/dev/ttyNOPE')\n\n"
        "Hint: Check if the port is correct and ESP connected\n",
        "recorded, 5.6.0",
    ),
    Recorded(
        "esptool", "port-permission", 2,
        "ERROR: A fatal error occurred: Could not open /dev/ttyUSB0, the port is busy or doesn't "
        "exist.\n([Errno 13] could not open port /dev/ttyUSB0: [Errno 13] Permission denied: "
        "'/dev/ttyUSB0')\n",
        "source of 5.6.0, loader.py",
    ),
    Recorded(
        "esptool", "port-busy", 2,
        "ERROR: A fatal error occurred: Could not open /dev/ttyUSB0, the port is busy or doesn't "
        "exist.\n([Errno 11] Could not exclusively lock port /dev/ttyUSB0: [Errno 11] Resource "
        "temporarily unavailable)\n",
        "source of 5.6.0, loader.py, and of pyserial 3.5",
    ),
    Recorded(
        "esptool", "not-in-bootloader", 2,
        "Connecting.....\nERROR: A fatal error occurred: Failed to connect to ESP32-C3: No serial "
        "data received.\nFor troubleshooting steps visit: "
        "https://docs.espressif.com/projects/esptool/en/latest/troubleshooting.html\n",
        "recorded, 5.6.0 on a pseudo-terminal",
    ),
    Recorded(
        "esptool", "wrong-chip", 2,
        "ERROR: A fatal error occurred: This chip is ESP32-S3, not ESP32-C3. Wrong chip "
        "argument?\n",
        "source of 5.6.0, loader.py",
    ),
    Recorded(
        "esptool", "verify-mismatch", 2,
        "ERROR: A fatal error occurred: MD5 of file does not match data in flash!\n",
        "source of 5.6.0, cmds.py",
    ),
    Recorded(
        "esptool", "locked", 2,
        "ERROR: A fatal error occurred: The 'read-mac' command is not available in Secure Download "
        "Mode.\n",
        "source of 5.6.0, __init__.py",
    ),
    Recorded(
        "esptool", "bad-image", 2,
        "Usage: esptool write-flash [OPTIONS] <address> <filename>...\n"
        "| Invalid value for '<address> <filename>...': [Errno 2] No such file or   |\n"
        "| directory: 'nofile.bin'                                                 |\n",
        "recorded, 5.6.0, the frame in ASCII",
    ),
    Recorded(
        "picotool", "not-in-bootloader", 249,
        "No accessible RP-series devices in BOOTSEL mode were found.\n",
        "users' reports with that exit code",
    ),
    Recorded(
        "picotool", "permission", 249,
        "No accessible RP-series devices in BOOTSEL mode were found.\nbut:\nRP2040 device at "
        "bus 3, "
        "address 14 appears to be in BOOTSEL mode, but picotool was unable to connect. Maybe try "
        "'sudo' or check your permissions.\n",
        "users' reports; source of 1.1",
    ),
    Recorded(
        "picotool", "permission", 1, "ERROR: Failed to initialise libUSB\n", "users' reports"
    ),
    Recorded(
        "dfu_util", "not-in-bootloader", 74,
        "dfu-util 0.11\n\ndfu-util: Warning: Invalid DFU suffix signature\ndfu-util: A valid DFU "
        "suffix will be required in a future dfu-util release\n"
        "dfu-util: No DFU capable USB device available\n",
        "recorded, 0.11",
    ),
    Recorded(
        "dfu_util", "probe-ambiguous", 74,
        "dfu-util: More than one DFU capable USB device found! Try `--list' and specify the serial "
        "number or disconnect all but one device\n",
        "binary of 0.11",
    ),
    Recorded(
        "dfu_util", "permission", 74,
        "dfu-util: Cannot open DFU device 0483:df11 found on devnum 7 (LIBUSB_ERROR_ACCESS)\n"
        "dfu-util: No DFU capable USB device available\n",
        "binary of 0.11",
    ),
    Recorded(
        "dfu_util", "bad-image", 66,
        "dfu-util: Could not open file nofile.bin for reading: No such file or directory\n",
        "recorded, 0.11",
    ),
    Recorded(
        "dfu_util", "verify-mismatch", 74,
        "dfu-util: DFU state(10) = dfuERROR, status(7) = Programmed memory failed verification\n",
        "binary of 0.11",
    ),
    Recorded(
        "dfu_util", "usb", 74, "dfu-util: Error during download get_status\n", "binary of 0.11"
    ),
    Recorded(
        "bossac", "not-in-bootloader", 1, "No device found on /dev/ttyNOPE\n", "recorded, 1.9.1"
    ),
    Recorded(
        "bossac", "verify-mismatch", 2,
        "Verify failed\nPage errors: 2\nByte errors: 9\n",
        "binary of 1.9.1",
    ),
    Recorded(
        "bossac", "unknown-target", 1, "Device unsupported\n", "binary of 1.9.1"
    ),
    Recorded(
        "uf2", "bad-image", 1, "cp: error writing '/media/RP2/a.uf2': No space left on device\n",
        "coreutils",
    ),
    Recorded(
        "uf2", "permission", 1,
        "cp: cannot create regular file '/media/RP2/a.uf2': Permission denied\n",
        "coreutils",
    ),
    Recorded(
        "uf2", "usb", 1, "cp: error writing '/media/RP2/a.uf2': Input/output error\n",
        "coreutils",
    ),
)  # fmt: skip
