/* RP2040's second stage. Its boot ROM copies 256 bytes from flash to RAM, checks their CRC and starts
 * them (data sheet 2.8.1.3); they have to make flash readable as memory: quad I/O, continuous read,
 * at half the core's clock, as the W25Q16JV of the Pico and most others can. Then the firmware's
 * vector table follows. tools/gen_boot2.py makes edgec_boot2.c of this file; builds use only that.
 *
 * SSI registers: data sheet 4.10.13. QSPI pads: 2.19.6.4. Flash commands: W25Q16JV data sheet, 8.1.2. */
    .syntax unified
    .cpu cortex-m0plus
    .thumb
    .text

    .equ PADS_QSPI, 0x40020000
    .equ SSI, 0x18000000
    .equ SSI_CTRLR0, 0x00
    .equ SSI_CTRLR1, 0x04
    .equ SSI_SSIENR, 0x08
    .equ SSI_BAUDR, 0x14
    .equ SSI_SR, 0x28
    .equ SSI_DR0, 0x60
    .equ SSI_RX_SAMPLE_DLY, 0xF0
    .equ SSI_SPI_CTRLR0, 0xF4
    .equ VECTORS, 0x10000100
    .equ VTOR, 0xE000ED08

    .global _start
    .thumb_func
_start:
    /* Clock: 8 mA, fast. Data: no Schmitt trigger, whose delay the rate does not allow. */
    ldr r3, =PADS_QSPI
    movs r0, #0x21
    str r0, [r3, #4]
    ldr r0, [r3, #8]
    movs r1, #2
    bics r0, r1
    str r0, [r3, #0x08]
    str r0, [r3, #0x0C]
    str r0, [r3, #0x10]
    str r0, [r3, #0x14]

    /* One bit wide, 8 bits a frame, to ask for and set the flash's quad enable bit. */
    ldr r3, =SSI
    movs r4, #0
    movs r5, #1
    str r4, [r3, #SSI_SSIENR]
    movs r0, #2
    str r0, [r3, #SSI_BAUDR]
    movs r1, #SSI_RX_SAMPLE_DLY
    str r5, [r3, r1]
    ldr r0, =(7 << 16)
    str r0, [r3, #SSI_CTRLR0]
    str r5, [r3, #SSI_SSIENR]
    movs r0, #0x35 /* read status register 2 */
    bl ask
    movs r2, #2 /* QE */
    tst r0, r2
    bne quad
    movs r0, #0x06 /* write enable */
    str r0, [r3, #SSI_DR0]
    bl wait
    ldr r0, [r3, #SSI_DR0]
    movs r0, #0x01 /* write status registers 1 and 2 */
    str r0, [r3, #SSI_DR0]
    str r4, [r3, #SSI_DR0]
    str r2, [r3, #SSI_DR0]
    bl wait
    ldr r0, [r3, #SSI_DR0]
    ldr r0, [r3, #SSI_DR0]
    ldr r0, [r3, #SSI_DR0]
busy:
    movs r0, #0x05 /* read status register 1: bit 0 is busy */
    bl ask
    tst r0, r5
    bne busy

quad:
    /* A first read with the command 0xEB and the mode byte 0xA0: from then on commands are left out. */
    str r4, [r3, #SSI_SSIENR]
    ldr r0, =((2 << 21) | (31 << 16) | (3 << 8)) /* quad, 32 bits a frame, read */
    str r0, [r3, #SSI_CTRLR0]
    str r4, [r3, #SSI_CTRLR1]
    ldr r1, =SSI_SPI_CTRLR0
    ldr r0, =((4 << 11) | (2 << 8) | (8 << 2) | 1) /* 4 waits, 8 bits of command, 32 of address */
    str r0, [r3, r1]
    str r5, [r3, #SSI_SSIENR]
    movs r0, #0xEB
    str r0, [r3, #SSI_DR0]
    movs r0, #0xA0
    str r0, [r3, #SSI_DR0]
    bl wait
    str r4, [r3, #SSI_SSIENR]
    ldr r0, =((0xA0 << 24) | (4 << 11) | (8 << 2) | 2) /* the mode byte follows each address */
    str r0, [r3, r1]
    str r5, [r3, #SSI_SSIENR]

    ldr r0, =VECTORS
    ldr r1, =VTOR
    str r0, [r1]
    ldmia r0, {r0, r1}
    msr msp, r0
    bx r1

    /* Sends r0 and a byte more, returns in r0 what came with the second. */
ask:
    mov r6, lr
    str r0, [r3, #SSI_DR0]
    str r0, [r3, #SSI_DR0]
    bl wait
    ldr r0, [r3, #SSI_DR0]
    ldr r0, [r3, #SSI_DR0]
    bx r6

    /* Until everything is sent (TFE) and nothing is going on (BUSY). */
wait:
    ldr r0, [r3, #SSI_SR]
    movs r7, #4
    tst r0, r7
    beq wait
    tst r0, r5
    bne wait
    bx lr

    .ltorg
