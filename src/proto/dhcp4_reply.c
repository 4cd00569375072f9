/*
 * Answers: what they say, how long they may be, and by which way they go. The routes
 * are those of RFC 2131 4.1, each under its sentence.
 */
#include "proto/dhcp4_internal.h"

enum { ROOM_DEFAULT = 576 - 28, ROOM_LEAST = 300 };

/* ---- what is said ---- */

/* RFC 2131 3.5, RFC 2132 9.10: option 57 is of the whole IP datagram. Ours never
 * fragments. A BOOTP client has room for 64 bytes of options (RFC 951 3), or as many as
 * it sent. */
static size_t room_of(const struct exchange *x) {
        size_t size = dhcp4_option_be16(x->message, DHCP4_MAX_SIZE);

        if (x->facts.is_bootp)
                return max_u64(ROOM_LEAST, min_size(x->received->n, ROOM_DEFAULT));
        if (size == 0 || (x->form.form && x->form.form->flags & ADAPT_SHORT))
                return ROOM_DEFAULT;
        return size < ROOM_LEAST + 28          ? ROOM_LEAST
               : size > DHCP4_MESSAGE_MAX + 28 ? DHCP4_MESSAGE_MAX
                                               : size - 28;
}

static void add_be32(struct said_list *list, uint8_t code, uint32_t value) {
        uint8_t bytes[4];

        store_be32(bytes, value);
        said_add(list, code, bytes, sizeof(bytes));
}

static nsec_t scope_t1(const struct exchange *x) {
        for (size_t i = 0; i < x->n_scopes; i++)
                if (x->scopes[i]->renewal_time)
                        return x->scopes[i]->renewal_time;
        return 0;
}

static nsec_t scope_t2(const struct exchange *x) {
        for (size_t i = 0; i < x->n_scopes; i++)
                if (x->scopes[i]->rebinding_time)
                        return x->scopes[i]->rebinding_time;
        return 0;
}

/* RFC 2131 4.4.5: T1 at half of the lease, T2 at seven eighths, unless the server says
 * otherwise; T1 before T2 before the end. */
static void add_times(const struct exchange *x, struct said_list *list,
                      nsec_t lifetime) {
        uint64_t seconds = lifetime / NSEC_PER_SEC;
        uint64_t t1 = scope_t1(x) / NSEC_PER_SEC, t2 = scope_t2(x) / NSEC_PER_SEC;

        if (lifetime == 0)
                return;
        if (lifetime == NSEC_NEVER || seconds >= UINT32_MAX) {
                add_be32(list, DHCP4_LEASE_TIME, UINT32_MAX);
                return;
        }
        if (t2 == 0 || t2 >= seconds)
                t2 = seconds - seconds / 8;
        if (t1 == 0 || t1 >= t2)
                t1 = min_u64(seconds / 2, t2);
        add_be32(list, DHCP4_LEASE_TIME, (uint32_t)seconds);
        add_be32(list, DHCP4_RENEWAL_TIME, (uint32_t)t1);
        add_be32(list, DHCP4_REBINDING_TIME, (uint32_t)t2);
}

/* Would the configuration say this option itself? */
static bool is_configured(const struct exchange *x, const struct reply *reply,
                          uint8_t code) {
        for (size_t i = 0; !reply->is_proxy && i < x->n_scopes; i++)
                for (size_t j = 0; j < x->scopes[i]->n_options; j++)
                        if (x->scopes[i]->options[j].code == code)
                                return true;
        return false;
}

static bool wants(const struct exchange *x, uint8_t code) {
        return dhcp4_wants(x->message, code);
}

/* The name by option 67: with its NUL, as some ROMs look for one and nobody minds it,
 * but not where it is a URL. */
static void add_file(const struct exchange *x, const struct reply *reply,
                     struct said_list *list) {
        const char *file = x->decision.file;
        unsigned flags = x->form.form ? x->form.form->flags : 0;
        bool is_http = x->facts.is_http;
        bool is_long = strlen(file) >= 128; /* than the header's field */
        char server[IP4_TEXT_MAX];

        if (is_http || is_long || flags & ADAPT_FILE_OPTION ||
            wants(x, DHCP4_BOOT_FILE))
                if (!is_configured(x, reply, DHCP4_BOOT_FILE))
                        said_add(list, DHCP4_BOOT_FILE, file, strlen(file) + !is_http);
        if (wants(x, DHCP4_TFTP_SERVER) && !is_http && !(flags & ADAPT_SHORT) &&
            !is_configured(x, reply, DHCP4_TFTP_SERVER)) {
                ip4_format(x->decision.next_server, server);
                said_add(list, DHCP4_TFTP_SERVER, server, strlen(server));
        }
}

static void add_vendor_options(const struct exchange *x, const struct reply *reply,
                               struct said_list *list) {
        unsigned flags = x->form.form ? x->form.form->flags : 0;
        struct pxe_vendor vendor = { .server = x->local };
        uint8_t bytes[255];
        struct writer w = writer_of(bytes, sizeof(bytes));

        if (is_configured(x, reply, DHCP4_VENDOR_OPTIONS))
                return;
        if (x->facts.is_pi) {
                vendor.is_pi = true;
        } else if (reply->has_item) {
                vendor.has_item = true;
                vendor.item = reply->item;
                vendor.layer = reply->layer;
        } else if (x->received->port == DHCP4_BINL_PORT) {
                vendor.control = PXE_CONTROL_THIS_FILE;
        } else if (flags & ADAPT_NO_VENDOR) {
                return;
        } else if (flags & ADAPT_BOOT_SERVERS) {
                vendor.control = PXE_CONTROL_LISTED_ONLY;
                vendor.menu = &x->server->config.pxe;
        } else {
                vendor.control = PXE_CONTROL_THIS_FILE;
        }
        pxe_build_vendor(&w, &vendor);
        said_add(list, DHCP4_VENDOR_OPTIONS, bytes, w.at);
}

/*
 * PXE 2.1 2.2.1, RFC 4578, UEFI 2.10 24.7: a boot answer carries the class that was
 * asked for and the UUID as it came. Firmware reads the file's name from the header,
 * some from option 67 only. The class without a file would say "ask my boot server",
 * and keep firmware from a proxy that has one.
 */
static void add_boot(const struct exchange *x, const struct reply *reply,
                     struct said_list *list) {
        struct span uuid = dhcp4_option(x->message, DHCP4_UUID);
        bool boots = x->decision.verdict == POLICY_BOOT;

        if (boots && x->facts.is_http)
                said_add(list, DHCP4_VENDOR_CLASS, "HTTPClient", 10);
        else if (boots && x->facts.is_pxe)
                said_add(list, DHCP4_VENDOR_CLASS, "PXEClient", 9);
        if (uuid.n > 0)
                said_borrow(list, DHCP4_UUID, uuid.data, uuid.n);
        if (boots && x->facts.is_pxe && !x->facts.is_http)
                add_vendor_options(x, reply, list);
        if (boots)
                add_file(x, reply, list);
}

/* RFC 2131 4.3.1: what the client asked for, and what is always to be said. Who is
 * asked first wins. */
static void add_configured(const struct exchange *x, struct said_list *list) {
        bool is_short = x->form.form && x->form.form->flags & ADAPT_SHORT;

        if (x->host && x->host->hostname && x->host->hostname[0])
                said_borrow(list, DHCP4_HOST_NAME, x->host->hostname,
                            strlen(x->host->hostname));
        for (size_t i = 0; i < x->n_scopes; i++)
                for (size_t j = 0; j < x->scopes[i]->n_options; j++) {
                        const struct scope_option *o = &x->scopes[i]->options[j];

                        if ((o->is_forced && !is_short) || wants(x, o->code))
                                said_borrow(list, o->code, o->data, o->n);
                }
        if (x->site)
                add_be32(list, DHCP4_SUBNET_MASK, x->site->subnet->mask);
}

/* What the relay's option takes, in its pieces; 0 when there is none, or when it leaves
 * no room for a message. */
static size_t relay_room(const struct dhcp4_message *message) {
        size_t n = dhcp4_option(message, DHCP4_RELAY_INFORMATION).n;
        size_t room = n + 2 * ((n + 254) / 255);

        return room <= DHCP4_MESSAGE_MAX - ROOM_LEAST ? room : 0;
}

static void gather(const struct exchange *x, const struct reply *reply,
                   struct said_list *list) {
        struct span id = dhcp4_option(x->message, DHCP4_CLIENT_ID);
        uint8_t type = (uint8_t)reply->type;

        if (reply->type != DHCP4_BOOTP) {
                said_add(list, DHCP4_MESSAGE_TYPE, &type, 1);
                add_be32(list, DHCP4_SERVER_ID, x->server_id);
        }
        if (reply->type == DHCP4_NAK)
                said_borrow(list, DHCP4_ERROR_TEXT, reply->error, strlen(reply->error));
        else
                add_times(x, list, reply->lifetime);
        /* RFC 6842 3: the client identifier goes back, so that a client behind a shared
         * MAC knows its own answer. */
        if (id.n > 0 && reply->type != DHCP4_BOOTP)
                said_borrow(list, DHCP4_CLIENT_ID, id.data, id.n);
        if (reply->type == DHCP4_NAK)
                return;
        /* RFC 3011 2: the subnet that was asked for goes back. */
        if (dhcp4_option_be32(x->message, DHCP4_SUBNET_SELECTION))
                add_be32(list, DHCP4_SUBNET_SELECTION,
                         dhcp4_option_be32(x->message, DHCP4_SUBNET_SELECTION));
        add_boot(x, reply, list);
        said_first(list);
        if (!reply->is_proxy)
                add_configured(x, list);
}

/* ---- the head ---- */

static const char *server_name_of(const struct exchange *x) {
        for (size_t i = 0; i < x->n_scopes; i++)
                if (x->scopes[i]->server_name && x->scopes[i]->server_name[0])
                        return x->scopes[i]->server_name;
        return "";
}

/* A boot server answers with the file in its place, on whichever port it was asked. */
static bool has_file_field(const struct exchange *x, const struct reply *reply) {
        if (x->form.form)
                return x->form.form->flags & ADAPT_FILE_FIELD || reply->has_item ||
                       x->received->port == DHCP4_BINL_PORT;
        return !x->facts.is_http;
}

static struct dhcp4_message *head_of(const struct exchange *x,
                                     const struct reply *reply,
                                     struct dhcp4_message *head) {
        const struct dhcp4_message *m = x->message;

        head->op = DHCP4_BOOTREPLY;
        head->htype = m->htype;
        head->hlen = m->hlen;
        head->hops = 0;
        head->secs = 0;
        head->xid = m->xid;
        head->flags = m->flags;
        head->giaddr = m->giaddr;
        head->yiaddr = reply->address;
        head->ciaddr = head->siaddr = 0;
        head->sname[0] = head->file[0] = '\0';
        memcpy(head->chaddr, m->chaddr, sizeof(head->chaddr));
        /* RFC 2131 4.3.1 table 3: a NAK says nothing else. */
        if (reply->type == DHCP4_NAK) {
                if (m->giaddr)
                        head->flags |= DHCP4_FLAG_BROADCAST;
                return head;
        }
        if (!reply->is_proxy) {
                head->ciaddr = reply->type == DHCP4_ACK ? m->ciaddr : 0;
                memcpy(head->sname, server_name_of(x),
                       strnlen(server_name_of(x), sizeof(head->sname) - 1) + 1);
                head->sname[sizeof(head->sname) - 1] = '\0';
        }
        if (x->decision.verdict == POLICY_BOOT) {
                head->siaddr = x->decision.next_server;
                if (has_file_field(x, reply) && strlen(x->decision.file) < 128)
                        memcpy(head->file, x->decision.file,
                               strlen(x->decision.file) + 1);
        } else {
                head->siaddr = x->facts.next_server; /* if it is configured */
        }
        return head;
}

/* ---- by which way ---- */

static void route(const struct exchange *x, const struct reply *reply,
                  struct dhcp4_send *send) {
        const struct dhcp4_message *m = x->message;

        send->ifindex = x->interface->ifindex;
        send->from = x->local;
        send->from_port = x->received->port;
        send->port = DHCP4_CLIENT_PORT;
        send->how = DHCP4_UNICAST;
        memcpy(send->mac.b, m->chaddr, sizeof(send->mac.b));

        if (x->received->port == DHCP4_BINL_PORT && x->received->from) {
                /* PXE 2.1 2.4.4: back to where the question came from. */
                send->to = x->received->from;
                send->port = x->received->from_port;
        } else if (m->giaddr) {
                /* RFC 1542 5.4, RFC 2131 4.1: "If the 'giaddr' field ... is non-zero,
                 * the server sends any return messages to the 'DHCP server' port on the
                 * BOOTP relay." */
                send->to = m->giaddr;
                send->port = DHCP4_SERVER_PORT;
        } else if (reply->type == DHCP4_NAK) {
                /* RFC 2131 4.1: "In all cases, when 'giaddr' is zero, the server
                 * broadcasts any DHCPNAK messages." */
                send->how = DHCP4_BROADCAST;
                send->to = UINT32_MAX;
        } else if (m->ciaddr) {
                /* RFC 2131 4.1: "giaddr zero and ciaddr nonzero: unicast to ciaddr." */
                send->to = m->ciaddr;
        } else if (m->flags & DHCP4_FLAG_BROADCAST || !reply->address) {
                /* RFC 2131 4.1: the broadcast bit is set; or, from a proxy, there is no
                 * address that a unicast could go to. */
                send->how = DHCP4_BROADCAST;
                send->to = UINT32_MAX;
        } else {
                /* RFC 2131 4.1: "unicasts ... to the client's hardware address and
                 * 'yiaddr' address." */
                send->how = DHCP4_RAW_UNICAST;
                send->to = reply->address;
        }
}

void send_reply(struct exchange *x, const struct reply *reply) {
        struct dhcp4_send *send = &actions_new(x->out, DHCP4_SEND)->send;
        struct span relay = dhcp4_option(x->message, DHCP4_RELAY_INFORMATION);
        size_t kept = relay_room(x->message);
        /* The relay takes its option off again before the client sees the answer. */
        struct writer w =
                writer_of(send->data, min_size(room_of(x) + kept, DHCP4_MESSAGE_MAX));
        bool may_overload = reply->type != DHCP4_BOOTP && reply->type != DHCP4_NAK &&
                            !(x->form.form && x->form.form->flags & ADAPT_SHORT);
        struct dhcp4_message head;
        struct said_list list;
        uint8_t missing;

        list.n = list.n_bytes = 0;
        memset(list.has, 0, sizeof(list.has));
        send->durable = reply->durable;
        send->delay = x->reply_delay;
        route(x, reply, send);
        dhcp4_build_head(&w, head_of(x, reply, &head));
        gather(x, reply, &list);
        w.n -= kept;
        missing = said_write(&list, x->message, &w, may_overload);
        w.n += kept;
        /* RFC 3046 2.2: what the relay added goes back as it came, and last. */
        if (kept > 0)
                dhcp4_build_option(&w, DHCP4_RELAY_INFORMATION, relay.data, relay.n);
        dhcp4_build_end(&w);
        assert(!w.failed); /* everything was measured before it was added */
        send->n = w.at;
        say_sent(x, reply, missing);
}
