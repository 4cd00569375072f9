/*
 * Requests as real clients send them, captured in a virtual machine's network, and what
 * we make of each: how we read it, and what a server and a proxy answer, as text and
 * byte by byte. NAME.hex holds the request, NAME.txt all the rest:
 *
 *     dhcp4_golden FOLDER NAME     prints what NAME.txt should be
 */
#include <stdio.h>
#include <stdlib.h>

#include "proto/dhcp4_server.h"
#include "test/check.h"
#include "wire/dhcp4.h"

enum { REQUEST_MAX = 1500, IFINDEX = 2 };

static const ip4_t us = 0x0a000202; /* 10.0.2.2, as the captured clients were told */
static const char *folder;

static const char *const names[] = {
        "bios-ipxe-rom", "bios-ipxe-rom-request", "uefi-x64", "uefi-x64-http-boot",
        "udhcpc",
};

/* The file's bytes and a NUL; the caller frees. */
static char *read_file(const char *name, const char *suffix) {
        char path[4096], *content = calloc(1, 65536);
        FILE *file;

        snprintf(path, sizeof(path), "%s/%s.%s", folder, name, suffix);
        file = fopen(path, "re");
        if (!file || !content) {
                fprintf(stderr, "cannot read %s\n", path);
                abort();
        }
        fread(content, 1, 65535, file);
        fclose(file);
        return content;
}

static size_t read_hex(const char *name, uint8_t bytes[REQUEST_MAX]) {
        char *content = read_file(name, "hex"), *at = content;
        size_t n = 0;
        int used;
        unsigned byte;

        while (n < REQUEST_MAX && sscanf(at, " %2x%n", &byte, &used) == 1) {
                bytes[n++] = (uint8_t)byte;
                at += used;
        }
        free(content);
        return n;
}

static void add_hex(struct text *out, const uint8_t *bytes, size_t n) {
        static const char digits[] = "0123456789abcdef";

        for (size_t i = 0; i < n; i++) {
                text_char(out, digits[bytes[i] >> 4]);
                text_char(out, digits[bytes[i] & 15]);
                if (i % 32 == 31 || i + 1 == n)
                        text_char(out, '\n');
        }
}

static void add_message(struct text *out, const uint8_t *bytes, size_t n) {
        struct dhcp4_message message;

        if (dhcp4_parse(bytes, n, &message) == DHCP4_OK)
                dhcp4_format(&message, out);
        else
                text_add(out, "no message\n");
}

static void add_answer(struct text *out, const struct dhcp4_send *send) {
        static const char *const ways[] = { "broadcast", "unicast", "frame" };

        text_add(out, ways[send->how]);
        text_add(out, send->durable ? " once the lease is on disk, " : ", ");
        text_u64(out, send->n);
        text_add(out, " bytes, to ");
        text_ip4(out, send->to);
        text_char(out, ':');
        text_u64(out, send->port);
        text_char(out, '\n');
        add_message(out, send->data, send->n);
        add_hex(out, send->data, send->n);
}

static void add_actions(struct text *out, const struct dhcp4_actions *actions) {
        for (size_t i = 0; i < actions->n; i++) {
                const struct dhcp4_action *action = &actions->items[i];

                if (action->kind == DHCP4_SEND) {
                        add_answer(out, &action->send);
                } else if (action->kind == DHCP4_PERSIST) {
                        lease_json(&action->record, out);
                        text_char(out, '\n');
                } else if (action->kind == DHCP4_EVENT) {
                        text_add(out, "# ");
                        event_sentence(&action->event, out);
                        text_char(out, '\n');
                }
        }
}

static void answer(struct text *out, const uint8_t *bytes, size_t n, bool is_proxy) {
        const struct dhcp4_interface interface = { "lan0", IFINDEX, us, 0xffffff00 };
        const struct scope_pool pool = { .first = us + 13, .last = us + 28 };
        const struct scope_option options[] = {
                { 3, false, 4, (const uint8_t *)"\n\0\2\1" },
                { 6, false, 4, (const uint8_t *)"\n\0\2\3" }
        };
        const struct scope_subnet subnet = {
                .network = 0x0a000200,
                .mask = 0xffffff00,
                .pools = &pool,
                .n_pools = 1,
                .scope = { .lease_time = 3600 * NSEC_PER_SEC,
                           .max_lease_time = 86400 * NSEC_PER_SEC,
                           .options = options,
                           .n_options = 2 }
        };
        const struct dhcp4_config config = {
                .is_proxy = is_proxy,
                .authoritative = true,
                .decline_time = 3600 * NSEC_PER_SEC,
                .offer_time = 60 * NSEC_PER_SEC,
                .interfaces = &interface,
                .n_interfaces = 1,
                .subnets = &subnet,
                .n_subnets = 1,
                .rules = { .loaders = POLICY_BIT(POLICY_N_LOADERS) - 1,
                           .http_port = 80 },
        };
        const struct dhcp4_received received = { .data = bytes,
                                                 .n = n,
                                                 .ifindex = IFINDEX,
                                                 .to = UINT32_MAX,
                                                 .from_port = 68,
                                                 .port = 67,
                                                 .now = 1700000000 * NSEC_PER_SEC };
        struct dhcp4_actions *actions = calloc(1, sizeof(*actions));
        struct dhcp4_server *server = NULL;

        if (!actions || dhcp4_server_new(&config, &server) != 0)
                abort();
        dhcp4_server_recv(server, &received, actions);
        add_actions(out, actions);
        dhcp4_server_free(server);
        free(actions);
}

static void describe(const char *name, struct text *out) {
        uint8_t bytes[REQUEST_MAX];
        size_t n = read_hex(name, bytes);

        text_add(out, "== asked\n");
        add_message(out, bytes, n);
        text_add(out, "== as a server\n");
        answer(out, bytes, n, false);
        text_add(out, "== as a proxy\n");
        answer(out, bytes, n, true);
}

static void real_requests_are_read_and_answered_as_ever(void **state) {
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                char *expected = read_file(names[i], "txt");
                struct text out = { 0 };

                describe(names[i], &out);
                if (strcmp(text_string(&out), expected) != 0)
                        print_message("# %s\n", names[i]);
                assert_string_equal(text_string(&out), expected);
                text_done(&out);
                free(expected);
        }
}

int main(int argc, char **argv) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(real_requests_are_read_and_answered_as_ever),
        };
        struct text out = { 0 };

        folder = argc > 1 ? argv[1] : "test/golden/dhcp4";
        if (argc <= 2)
                return check_run("golden/dhcp4", tests);
        describe(argv[2], &out);
        fputs(text_string(&out), stdout);
        text_done(&out);
        return 0;
}
