/*
 * Packed events come from roles that read strangers' bytes. Whatever they are,
 * unpacking stays inside them, every rendering is one line, and what was accepted packs
 * again into something that is accepted.
 */
#include "base/event.h"
#include "fuzz/fuzz.h"

static void is_one_line(const struct text *t) {
        for (size_t i = 0; i < t->n; i++)
                assert((unsigned char)t->s[i] >= 0x20 && t->s[i] != 0x7f);
        assert(text_is_utf8(text_string(t), t->n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        struct event event, again;
        uint8_t packed[EVENT_PACKED_MAX];
        struct text json = { 0 }, line = { 0 };
        size_t n_packed;

        if (!event_unpack(data, n, &event))
                return 0;
        event_json(&event, &json);
        event_line(&event, 0, &line);
        is_one_line(&json);
        is_one_line(&line);
        n_packed = event_pack(&event, packed, sizeof(packed));
        assert(n_packed > 0);
        assert(event_unpack(packed, n_packed, &again));
        assert(again.kind == event.kind && again.story == event.story);
        text_done(&json);
        text_done(&line);
        return 0;
}
