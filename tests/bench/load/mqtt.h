/* As much MQTT 3.1.1 as one side of a measurement needs; sections are the standard's. */
#ifndef BESNIK_BENCH_MQTT_H
#define BESNIK_BENCH_MQTT_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNACK = 0x20, PUBLISH = 0x30, PUBACK = 0x40, SUBACK = 0x90 };
enum { QOS1 = 0x02, KEEPALIVE_S = 600, READ = 16384 };

static void fail(const char *what) {
    fprintf(stderr, "%s: %s\n", what, errno ? strerror(errno) : "not as expected");
    exit(1);
}

static double now_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Bytes in one direction; grows, and never shrinks. */
struct buffer {
    uint8_t *bytes;
    size_t length, size;
};

static void reserve(struct buffer *buffer, size_t more) {
    if (buffer->length + more <= buffer->size)
        return;
    buffer->size = 2 * (buffer->length + more);
    buffer->bytes = realloc(buffer->bytes, buffer->size);
    if (!buffer->bytes)
        fail("memory");
}

static void put(struct buffer *out, const void *bytes, size_t length) {
    reserve(out, length);
    memcpy(out->bytes + out->length, bytes, length);
    out->length += length;
}

static void put_byte(struct buffer *out, unsigned value) {
    uint8_t byte = (uint8_t)value;
    put(out, &byte, 1);
}

static void put_u16(struct buffer *out, unsigned value) {
    put_byte(out, value >> 8);
    put_byte(out, value & 255);
}

static void put_text(struct buffer *out, const char *text, size_t length) {
    put_u16(out, (unsigned)length);
    put(out, text, length);
}

/* 2.2.3: the length of what follows, in up to four bytes. */
static void put_head(struct buffer *out, unsigned type, size_t length) {
    put_byte(out, type);
    do {
        put_byte(out, (unsigned)(length % 128 | (length > 127 ? 128 : 0)));
        length /= 128;
    } while (length);
}

static void put_connect(struct buffer *out, const char *client, const char *user,
                        const char *password) {
    size_t length = 10 + 6 + strlen(client) + strlen(user) + strlen(password);
    put_head(out, 0x10, length);
    put_text(out, "MQTT", 4);
    put_byte(out, 4);
    put_byte(out, 0xC2); /* user, password, clean session */
    put_u16(out, KEEPALIVE_S);
    put_text(out, client, strlen(client));
    put_text(out, user, strlen(user));
    put_text(out, password, strlen(password));
}

static void put_subscribe(struct buffer *out, const char *filter) {
    put_head(out, 0x82, 5 + strlen(filter));
    put_u16(out, 1);
    put_text(out, filter, strlen(filter));
    put_byte(out, 1);
}

static void put_puback(struct buffer *out, unsigned id) {
    put_head(out, PUBACK, 2);
    put_u16(out, id);
}

static void put_publish(struct buffer *out, const char *topic, size_t topic_length, unsigned id,
                        const char *payload, size_t length) {
    put_head(out, PUBLISH | QOS1, 4 + topic_length + length);
    put_text(out, topic, topic_length);
    put_u16(out, id);
    put(out, payload, length);
}

/* One packet as it came; topic, id and payload are set for a PUBLISH at QoS 1. */
struct packet {
    unsigned type, id;
    const uint8_t *body, *topic, *payload;
    size_t length, topic_length, payload_length;
};

/* Take the packet at `bytes`; returns its whole length, 0 if it is not complete. */
static size_t take(const uint8_t *bytes, size_t available, struct packet *packet) {
    size_t length = 0, head = 1;
    for (unsigned shift = 0;; shift += 7) {
        if (head >= available)
            return 0;
        length |= (size_t)(bytes[head] & 127) << shift;
        if (!(bytes[head++] & 128))
            break;
        if (shift == 21)
            fail("length of a packet");
    }
    if (available < head + length)
        return 0;
    packet->type = bytes[0] & 0xF0;
    packet->body = bytes + head;
    packet->length = length;
    if (packet->type == PUBLISH) {
        packet->topic_length = (size_t)(packet->body[0] << 8 | packet->body[1]);
        packet->topic = packet->body + 2;
        packet->payload = packet->topic + packet->topic_length + 2;
        packet->payload_length = length - packet->topic_length - 4;
        packet->id = (unsigned)(packet->payload[-2] << 8 | packet->payload[-1]);
    }
    return head + length;
}

static int connect_to(const char *host, const char *port) {
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    int one = 1, handle = socket(AF_INET, SOCK_STREAM, 0);
    if (inet_pton(AF_INET, host, &where.sin_addr) != 1)
        fail("address");
    if (handle < 0 || connect(handle, (struct sockaddr *)&where, sizeof where) < 0)
        fail("connect");
    setsockopt(handle, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return handle;
}

static void flush(int handle, struct buffer *out) {
    for (size_t done = 0; done < out->length;) {
        ssize_t sent = send(handle, out->bytes + done, out->length - done, MSG_NOSIGNAL);
        if (sent < 0)
            fail("send");
        done += (size_t)sent;
    }
    out->length = 0;
}

/* Read once into `in`; returns 0 if nothing is there now and `flags` says not to wait. */
static int fill(int handle, struct buffer *in, int flags) {
    reserve(in, READ);
    errno = 0;
    ssize_t got = recv(handle, in->bytes + in->length, in->size - in->length, flags);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (got <= 0)
        fail("the broker hung up");
    in->length += (size_t)got;
    return 1;
}

/* Forget the first `used` bytes. */
static void consume(struct buffer *in, size_t used) {
    in->length -= used;
    memmove(in->bytes, in->bytes + used, in->length);
}

static void expect(int handle, unsigned type, size_t code_at) {
    struct buffer in = {0};
    struct packet packet;
    size_t used;
    while (!(used = take(in.bytes, in.length, &packet)))
        fill(handle, &in, 0);
    if (packet.type != type || packet.body[code_at] >= 128 ||
        (type == CONNACK && packet.body[code_at]) || used != in.length)
        fail("the broker refuses");
    free(in.bytes);
}

/* Connect, subscribe to `filter` at QoS 1 and return the socket. */
static int join(const char *host, const char *port, const char *client, const char *user,
                const char *password, const char *filter) {
    struct buffer out = {0};
    int handle = connect_to(host, port);
    put_connect(&out, client, user, password);
    flush(handle, &out);
    expect(handle, CONNACK, 1);
    put_subscribe(&out, filter);
    flush(handle, &out);
    expect(handle, SUBACK, 2);
    free(out.bytes);
    return handle;
}

#endif
