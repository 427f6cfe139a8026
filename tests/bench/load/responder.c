/* The floor: answers every tap at once and does nothing else.
 *
 *     responder HOST PORT USER PASSWORD
 *
 * What one read brings is answered by one write. Prints "responder: ready" and runs until it is
 * ended or the broker hangs up.
 */
#include "mqtt.h"

static const char TAPS[] = "besnik/v1/+/+/tap";
static const char LEAF[] = "verdict";
enum { TAP_ID = 12, TOPIC_MAX = 64 };

/* The tap's id stands behind `"id":"`; no answer to what has none. */
static void answer(struct buffer *out, const struct packet *tap, unsigned id) {
    char topic[TOPIC_MAX + sizeof LEAF], verdict[64];
    const char *at = memmem(tap->payload, tap->payload_length, "\"id\":\"", 6);
    size_t stem = tap->topic_length - strlen("tap");
    if (!at || at + 6 + TAP_ID > (const char *)tap->payload + tap->payload_length ||
        stem > TOPIC_MAX)
        fail("tap");
    memcpy(topic, tap->topic, stem);
    memcpy(topic + stem, LEAF, sizeof LEAF - 1);
    int length = snprintf(verdict, sizeof verdict, "{\"id\":\"%.*s\",\"r\":\"accepted\",\"why\":\"ok\"}",
                          TAP_ID, at + 6);
    put_publish(out, topic, stem + sizeof LEAF - 1, id, verdict, (size_t)length);
    put_puback(out, tap->id);
}

int main(int count, char **arguments) {
    struct buffer in = {0}, out = {0};
    unsigned id = 0;
    if (count != 5) {
        fprintf(stderr, "usage: responder HOST PORT USER PASSWORD\n");
        return 2;
    }
    int handle = join(arguments[1], arguments[2], "besnik-no-op", arguments[3], arguments[4], TAPS);
    puts("responder: ready");
    fflush(stdout);
    for (;;) {
        struct packet packet;
        size_t used = 0, length;
        fill(handle, &in, 0);
        while ((length = take(in.bytes + used, in.length - used, &packet))) {
            used += length;
            if (packet.type == PUBLISH) {
                id = id % 65535 + 1;
                answer(&out, &packet, id);
            }
        }
        consume(&in, used);
        flush(handle, &out);
    }
}
