/* An RC522 driver with the odd habits of those that are about: it starts CalcCRC before it fills
 * the FIFO, clears interrupts by read-modify-write, leaves the chip's timer alone and counts its
 * polls instead, writes the FIFO byte by byte, and never enables an interrupt.
 *
 * oddreader SOCKET prints the UID of the card in the field. Registers: MFRC522 data sheet, 9.2. */

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { CS = 5, RST = 22 };
enum { COMMAND = 0x01, COM_IRQ = 0x04, ERROR = 0x06, FIFO_DATA = 0x09, FIFO_LEVEL = 0x0A,
       CONTROL = 0x0C, BIT_FRAMING = 0x0D, MODE = 0x11, TX_CONTROL = 0x14, TX_ASK = 0x15,
       CRC_HIGH = 0x21, CRC_LOW = 0x22 };
enum { IDLE = 0x00, CALC_CRC = 0x03, TRANSCEIVE = 0x0C, SOFT_RESET = 0x0F };
enum { POLLS = 400 };

static int wire = -1;

static int fail(const char *what)
{
    fprintf(stderr, "oddreader: %s\n", what);
    return 1;
}

static void pause_us(long us)
{
    struct timespec time = { us / 1000000, us % 1000000 * 1000 };
    nanosleep(&time, NULL);
}

static void frame(unsigned char op, const unsigned char *payload, unsigned char size)
{
    unsigned char out[3 + 255] = { op, size, 0 };
    memcpy(out + 3, payload, size);
    if (write(wire, out, 3u + size) != 3 + size)
        _exit(fail("serve-spi has hung up"));
}

static void pin(unsigned char number, unsigned char level)
{
    unsigned char payload[2] = { number, level };
    frame(2, payload, 2);
}

/* One byte over SPI, each in a frame of its own: slow, and allowed. */
static unsigned char spi(unsigned char out)
{
    unsigned char in;
    frame(1, &out, 1);
    if (read(wire, &in, 1) != 1)
        _exit(fail("serve-spi has hung up"));
    return in;
}

static void put(unsigned char reg, unsigned char value)
{
    pin(CS, 0);
    spi(reg << 1);
    spi(value);
    pin(CS, 1);
}

static unsigned char get(unsigned char reg)
{
    unsigned char value;
    pin(CS, 0);
    spi(0x80 | reg << 1);
    value = spi(0);
    pin(CS, 1);
    return value;
}

static void crc(unsigned char *data, int size)
{
    int i;
    put(COMMAND, IDLE);
    put(FIFO_LEVEL, 0x80);
    put(COMMAND, CALC_CRC);
    for (i = 0; i < size; i++)
        put(FIFO_DATA, data[i]);
    data[size] = get(CRC_LOW);
    data[size + 1] = get(CRC_HIGH);
    put(COMMAND, IDLE);
}

/* Bits received, or -1. */
static int exchange(const unsigned char *out, int size, int last_bits, unsigned char *in)
{
    int i, level, partial;
    put(COMMAND, IDLE);
    put(FIFO_LEVEL, 0x80);
    put(COM_IRQ, get(COM_IRQ) & 0x7F); /* Set1 = 0: clears what is set */
    for (i = 0; i < size; i++)
        put(FIFO_DATA, out[i]);
    put(BIT_FRAMING, last_bits);
    put(COMMAND, TRANSCEIVE);
    put(BIT_FRAMING, get(BIT_FRAMING) | 0x80);
    for (i = 0; i < POLLS && !(get(COM_IRQ) & 0x20); i++)
        ;
    if (i == POLLS || get(ERROR) & 0x1B)
        return -1;
    level = get(FIFO_LEVEL);
    partial = get(CONTROL) & 0x07;
    for (i = 0; i < level && i < 16; i++)
        in[i] = get(FIFO_DATA);
    return partial ? 8 * (level - 1) + partial : 8 * level;
}

static void start(void)
{
    pin(RST, 0);
    pin(RST, 1);
    while (get(COMMAND) & 0x10)
        pause_us(100);
    put(COMMAND, SOFT_RESET);
    put(TX_ASK, 0x40);
    put(MODE, 0x3D);
    put(TX_CONTROL, get(TX_CONTROL) | 0x03);
    pause_us(6000);
}

int main(int count, char **arguments)
{
    static const unsigned char levels[] = { 0x93, 0x95, 0x97 };
    const unsigned char reqa = 0x26;
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    unsigned char out[9], in[16];
    int level, i;

    if (count != 2 || strlen(arguments[1]) >= sizeof address.sun_path)
        return fail("usage: oddreader SOCKET");
    strcpy(address.sun_path, arguments[1]);
    wire = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(wire, (struct sockaddr *)&address, sizeof address))
        return fail("cannot connect");
    start();
    if (exchange(&reqa, 1, 7, in) != 16)
        return fail("no card");
    for (level = 0; level < 3; level++) {
        out[0] = levels[level];
        out[1] = 0x20;
        if (exchange(out, 2, 0, in) != 40 || (in[0] ^ in[1] ^ in[2] ^ in[3]) != in[4])
            return fail("no UID");
        out[1] = 0x70;
        memcpy(out + 2, in, 5);
        crc(out, 7);
        if (exchange(out, 9, 0, in) != 24)
            return fail("not selected");
        for (i = in[0] & 0x04 ? 3 : 2; i < 6; i++)
            printf("%02X", out[i]);
        if (!(in[0] & 0x04))
            break;
    }
    printf("\n");
    return 0;
}
