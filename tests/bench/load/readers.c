/* Many readers at once: each sends a tap, waits for its verdict and sends the next.
 *
 *     readers HOST PORT ACCOUNTS READERS CARDS BOOT WARM_S SECONDS
 *
 * ACCOUNTS is a file of lines "reader password" with at least READERS lines; CARDS cards have the
 * UIDs 04 and six bytes of a number from 0; BOOT is the boot counter in the ids of the taps. After
 * WARM_S the clock starts. Prints one line of JSON: taps answered and p50 and p99 in ms while the
 * clock ran; `all`, the taps answered from the first on; `wrong`, verdicts that were not the one
 * waited for or not accepted; `silent`, readers without an answer for three seconds at the end.
 */
#include "mqtt.h"

#include <sys/epoll.h>

enum { NAME_MAX_ = 16, EVENTS = 256, SAMPLES = 4000000 };
static const double PATIENCE_S = 3;

struct reader {
    int handle;
    struct buffer in, out;
    char topic[64], tap_id[24];
    unsigned sequence, packet_id;
    double sent_s;
    int waits;
};

static unsigned long long cards, next_card;
static unsigned boot;
static float *samples;
static size_t taken, all, wrong;

static void send_tap(struct reader *reader) {
    char payload[128];
    reader->sequence++;
    snprintf(reader->tap_id, sizeof reader->tap_id, "%05u-%06u", boot, reader->sequence);
    int length = snprintf(
        payload, sizeof payload,
        "{\"v\":1,\"id\":\"%s\",\"k\":\"uid\",\"d\":\"04%012llX\",\"t\":1795300000,\"tq\":2,\"q\":0}",
        reader->tap_id, next_card);
    /* A stride that meets every card before it meets one again. */
    next_card = (next_card + 7919) % cards;
    reader->packet_id = reader->packet_id % 65535 + 1;
    put_publish(&reader->out, reader->topic, strlen(reader->topic), reader->packet_id, payload,
                (size_t)length);
    reader->sent_s = now_s();
    reader->waits = 1;
}

static void take_verdict(struct reader *reader, const struct packet *verdict, int counts) {
    size_t length = verdict->payload_length;
    put_puback(&reader->out, verdict->id);
    if (!reader->waits || !memmem(verdict->payload, length, reader->tap_id, strlen(reader->tap_id)) ||
        !memmem(verdict->payload, length, "accepted", 8)) {
        wrong++;
        return;
    }
    reader->waits = 0;
    all++;
    if (counts && taken < SAMPLES)
        samples[taken++] = (float)((now_s() - reader->sent_s) * 1000);
}

static void attend(struct reader *reader, int counts, int goes_on) {
    struct packet packet;
    size_t used = 0, length;
    if (!fill(reader->handle, &reader->in, MSG_DONTWAIT))
        return;
    while ((length = take(reader->in.bytes + used, reader->in.length - used, &packet))) {
        used += length;
        if (packet.type == PUBLISH)
            take_verdict(reader, &packet, counts);
    }
    consume(&reader->in, used);
    if (!reader->waits && goes_on)
        send_tap(reader);
    flush(reader->handle, &reader->out);
}

static struct reader *join_all(char **arguments, int count, int poll) {
    struct reader *readers = calloc((size_t)count, sizeof *readers);
    FILE *accounts = fopen(arguments[3], "r");
    if (!readers || !accounts)
        fail(arguments[3]);
    for (int index = 0; index < count; index++) {
        char name[NAME_MAX_ + 1], password[128], verdicts[64];
        struct reader *reader = &readers[index];
        if (fscanf(accounts, "%16s %127s", name, password) != 2)
            fail("accounts");
        snprintf(reader->topic, sizeof reader->topic, "besnik/v1/corner/%s/tap", name);
        snprintf(verdicts, sizeof verdicts, "besnik/v1/corner/%s/verdict", name);
        reader->handle = join(arguments[1], arguments[2], name, name, password, verdicts);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = reader};
        if (epoll_ctl(poll, EPOLL_CTL_ADD, reader->handle, &event) < 0)
            fail("epoll");
    }
    fclose(accounts);
    return readers;
}

static int ascending(const void *left, const void *right) {
    float first = *(const float *)left, second = *(const float *)right;
    return (first > second) - (first < second);
}

static int silent(const struct reader *readers, int count) {
    int found = 0;
    for (int index = 0; index < count; index++)
        found += readers[index].waits;
    return found;
}

static double percentile(double part) {
    return taken ? samples[(size_t)(part * (double)(taken - 1))] : -1;
}

int main(int argument_count, char **arguments) {
    if (argument_count != 9) {
        fprintf(stderr,
                "usage: readers HOST PORT ACCOUNTS READERS CARDS BOOT WARM_S SECONDS\n");
        return 2;
    }
    int count = atoi(arguments[4]), poll = epoll_create1(0);
    cards = strtoull(arguments[5], NULL, 10);
    boot = (unsigned)atoi(arguments[6]);
    samples = malloc(SAMPLES * sizeof *samples);
    if (poll < 0 || !samples || count < 1 || cards < 1)
        fail("arguments");
    struct reader *readers = join_all(arguments, count, poll);
    double begin_s = now_s() + atof(arguments[7]), end_s = begin_s + atof(arguments[8]);
    next_card = boot * 104729ULL % cards;
    for (int index = 0; index < count; index++) {
        send_tap(&readers[index]);
        flush(readers[index].handle, &readers[index].out);
    }
    for (double now = 0; now < end_s || (silent(readers, count) && now < end_s + PATIENCE_S);) {
        struct epoll_event events[EVENTS];
        int ready = epoll_wait(poll, events, EVENTS, 100);
        now = now_s();
        for (int index = 0; index < ready; index++)
            attend(events[index].data.ptr, now >= begin_s && now < end_s, now < end_s);
    }
    qsort(samples, taken, sizeof *samples, ascending);
    printf("{\"taps\":%zu,\"seconds\":%s,\"p50_ms\":%.4f,\"p99_ms\":%.4f,\"all\":%zu,"
           "\"wrong\":%zu,\"silent\":%d}\n",
           taken, arguments[8], percentile(0.5), percentile(0.99), all, wrong,
           silent(readers, count));
    return 0;
}
