/*
 * The forms as a table; two small hash tables, of machines and of habits, whose memory
 * is taken once. The oldest entry makes room for a new one.
 */
#include "policy/adapt.h"

#include <stdlib.h>

#include "base/list.h"

static const struct adapt_form pxe_forms[] = {
        { "option 43 with discovery control 8, the file in the offer",
          ADAPT_CONTROL_FILE | ADAPT_FILE_FIELD,
          "the shortest way there is: no discovery, no second question; taken by "
          "BIOS ROMs, iPXE and EDK2",
          "PXE 2.1, table of option 43: discovery control bit 3; "
          "EDK2 NetworkPkg/UefiPxeBcDxe" },
        { "no option 43, the file from port 4011",
          ADAPT_NO_VENDOR | ADAPT_FILE_FIELD | ADAPT_WAITS_4011,
          "EDK2 takes an offer without option 43 for that of a BINL server and asks "
          "it; "
          "some UEFI builds follow this way only",
          "PXE 2.1 2.2.3; EDK2 NetworkPkg/UefiPxeBcDxe, offers of type BINL; "
          "tianocore/edk2#6944" },
        { "boot servers, a menu and a prompt in option 43",
          ADAPT_BOOT_SERVERS | ADAPT_WAITS_4011,
          "the flow of the specification's own pictures, for ROMs that show a menu or "
          "discover a boot server before anything else",
          "PXE 2.1 2.2.3 and 2.2.4" },
        { "few options, the file in the header and in option 67",
          ADAPT_CONTROL_FILE | ADAPT_FILE_FIELD | ADAPT_FILE_OPTION | ADAPT_SHORT,
          "old ROMs read 312 bytes of options, do not know overload, or look for the "
          "name in one place only",
          "RFC 2131 3.5 (312 bytes at least); RFC 2132 9.3 and 9.5" },
};

static const struct adapt_form http_forms[] = {
        { "the URL in option 67", ADAPT_FILE_OPTION, "what the specification asks for",
          "UEFI 2.10 24.7.3" },
        { "the URL in option 67 and in the header",
          ADAPT_FILE_OPTION | ADAPT_FILE_FIELD | ADAPT_SHORT,
          "firmware that fills its boot file from the header's field",
          "RFC 2132 9.5: the header's field and option 67 say the same" },
};

size_t adapt_forms(enum adapt_client client, const struct adapt_form **ret) {
        *ret = client == ADAPT_HTTP ? http_forms : pxe_forms;
        return client == ADAPT_HTTP ? ARRAY_SIZE(http_forms) : ARRAY_SIZE(pxe_forms);
}

enum { BUCKETS = 1024 };

static const nsec_t copy_time = NSEC_PER_SEC;
static const nsec_t idle_time = 300 * NSEC_PER_SEC;

struct machine {
        struct list by_time, by_mac;
        struct mac mac;
        uint16_t arch;
        uint8_t client, form; /* form: from 0 */
        bool has_asked, took_step, has_tried_all;
        unsigned n_discovers, n_forms; /* in this form; forms tried in a row */
        uint32_t xid;
        nsec_t last; /* DISCOVER that counted */
};

struct adapt {
        struct list by_time; /* longest silent first */
        struct list by_mac[BUCKETS];
        size_t n_machines;
        struct machine machines[ADAPT_MACHINES_MAX];
        size_t n_habits, next_habit;
        struct adapt_habit habits[ADAPT_HABITS_MAX];
};

int adapt_new(struct adapt **ret) {
        struct adapt *adapt = calloc(1, sizeof(*adapt));

        if (!adapt)
                return -ENOMEM;
        list_init(&adapt->by_time);
        for (size_t i = 0; i < BUCKETS; i++)
                list_init(&adapt->by_mac[i]);
        *ret = adapt;
        return 0;
}

struct adapt *adapt_free(struct adapt *adapt) {
        free(adapt);
        return NULL;
}

/* ---- machines ---- */

static struct list *bucket(struct adapt *adapt, struct mac mac) {
        uint32_t h = load_be32(mac.b + 2) * 0x9e3779b1u ^ load_be16(mac.b);

        return &adapt->by_mac[(h ^ h >> 16) % BUCKETS];
}

static struct machine *find(struct adapt *adapt, struct mac mac) {
        LIST_FOR_EACH(pos, bucket(adapt, mac)) {
                struct machine *m = CONTAINER_OF(pos, struct machine, by_mac);

                if (mac_is_equal(m->mac, mac))
                        return m;
        }
        return NULL;
}

static struct machine *add(struct adapt *adapt, struct mac mac) {
        struct machine *m;

        if (adapt->n_machines < ADAPT_MACHINES_MAX) {
                m = &adapt->machines[adapt->n_machines++];
                list_init(&m->by_time);
        } else {
                m = CONTAINER_OF(adapt->by_time.next, struct machine, by_time);
                list_remove(&m->by_time);
                list_remove(&m->by_mac);
        }
        *m = (struct machine){ .mac = mac };
        list_init(&m->by_mac);
        list_append(&adapt->by_time, &m->by_time);
        list_append(bucket(adapt, mac), &m->by_mac);
        return m;
}

static void touch(struct adapt *adapt, struct machine *m) {
        list_remove(&m->by_time);
        list_append(&adapt->by_time, &m->by_time);
}

/* ---- habits ---- */

static bool is_of(const struct adapt_habit *h, const uint8_t *vendor, uint16_t arch,
                  enum adapt_client client) {
        return memcmp(h->vendor, vendor, 3) == 0 && h->arch == arch &&
               h->client == client;
}

static struct adapt_habit *find_habit(struct adapt *adapt, const uint8_t *vendor,
                                      uint16_t arch, enum adapt_client client) {
        for (size_t i = 0; i < adapt->n_habits; i++)
                if (is_of(&adapt->habits[i], vendor, arch, client))
                        return &adapt->habits[i];
        return NULL;
}

void adapt_load(struct adapt *adapt, const struct adapt_habit *habit) {
        const struct adapt_form *forms;
        struct adapt_habit *h =
                find_habit(adapt, habit->vendor, habit->arch, habit->client);

        if (habit->form == 0 || habit->form > adapt_forms(habit->client, &forms))
                return;
        if (!h && adapt->n_habits < ADAPT_HABITS_MAX)
                h = &adapt->habits[adapt->n_habits++];
        else if (!h)
                h = &adapt->habits[adapt->next_habit++ % ADAPT_HABITS_MAX];
        *h = *habit;
}

/* ---- choosing ---- */

static void begin(struct adapt *adapt, struct machine *m, enum adapt_client client,
                  uint16_t arch) {
        const struct adapt_habit *habit = find_habit(adapt, m->mac.b, arch, client);

        m->client = (uint8_t)client;
        m->arch = arch;
        m->form = (uint8_t)(habit ? habit->form - 1 : 0);
        m->has_asked = m->took_step = m->has_tried_all = false;
        m->n_discovers = m->n_forms = 0;
}

static bool is_copy(const struct machine *m, uint32_t xid, nsec_t now) {
        return m->has_asked && m->xid == xid && now >= m->last &&
               now - m->last < copy_time;
}

static bool is_idle(const struct machine *m, nsec_t now) {
        return m->has_asked && (now < m->last || now - m->last > idle_time);
}

/* Two answers in this form, and no step: the next one. */
static void move_on(struct machine *m, const struct adapt_form *forms, size_t n_forms,
                    struct adapt_choice *ret) {
        ret->is_new = true;
        ret->before = &forms[m->form];
        ret->n_discovers = m->n_discovers;
        m->form = (uint8_t)((m->form + 1u) % n_forms);
        m->n_discovers = 0;
        if (++m->n_forms >= n_forms) {
                m->n_forms = 0;
                m->has_tried_all = true;
        }
        ret->has_tried_all = m->has_tried_all;
}

void adapt_choose(struct adapt *adapt, enum adapt_client client,
                  const struct policy_facts *facts, uint32_t xid, bool is_discover,
                  nsec_t now, struct adapt_choice *ret) {
        uint16_t arch = facts->has_arch ? facts->arch : 0;
        struct machine *m = find(adapt, facts->mac);
        const struct adapt_form *forms;
        size_t n_forms = adapt_forms(client, &forms);

        *ret = (struct adapt_choice){ 0 };
        if (!m)
                m = add(adapt, facts->mac);
        if (!m->has_asked || m->client != client || m->arch != arch ||
            (is_discover && is_idle(m, now)))
                begin(adapt, m, client, arch);
        if (is_discover && !is_copy(m, xid, now)) {
                /* What came of the form before is known: it was good, or not yet bad.
                 */
                if (m->took_step)
                        m->n_discovers = m->n_forms = 0;
                m->took_step = false;
                if (m->n_discovers >= 2)
                        move_on(m, forms, n_forms, ret);
                else if (!m->has_asked)
                        ret->is_new = true;
                m->n_discovers++;
                m->has_asked = true;
                m->xid = xid;
                m->last = now;
                touch(adapt, m);
        }
        ret->form = &forms[m->form];
        ret->number = m->form + 1u;
        ret->is_from_habit = !ret->before &&
                             find_habit(adapt, m->mac.b, arch, client) != NULL &&
                             m->form > 0;
}

bool adapt_step(struct adapt *adapt, struct mac mac, enum adapt_step step, nsec_t now,
                struct adapt_habit *ret) {
        struct machine *m = find(adapt, mac);
        const struct adapt_habit *known;

        if (!m || !m->has_asked)
                return false;
        /* A machine that only took an address has not said what it thinks of the rest.
         */
        if (step == ADAPT_REQUESTED)
                return false;
        m->took_step = true;
        if (step != ADAPT_FETCHED)
                return false;
        known = find_habit(adapt, mac.b, m->arch, (enum adapt_client)m->client);
        if (known ? known->form == m->form + 1u : m->form == 0)
                return false;
        *ret = (struct adapt_habit){ .arch = m->arch,
                                     .client = (enum adapt_client)m->client,
                                     .form = m->form + 1u };
        memcpy(ret->vendor, mac.b, 3);
        adapt_load(adapt, ret);
        return true;
}

/* ---- as text ---- */

static void put_hex(struct writer *w, uint8_t v) {
        static const char digits[] = "0123456789abcdef";

        writer_u8(w, (uint8_t)digits[v >> 4]);
        writer_u8(w, (uint8_t)digits[v & 15]);
}

/* "form 525400 0007 pxe" = "2" */
void adapt_habit_format(const struct adapt_habit *habit, char key[static ADAPT_KEY_MAX],
                        char value[static ADAPT_KEY_MAX]) {
        struct writer w = writer_of(key, ADAPT_KEY_MAX);

        writer_text(&w, "form ");
        for (size_t i = 0; i < 3; i++)
                put_hex(&w, habit->vendor[i]);
        writer_u8(&w, ' ');
        put_hex(&w, (uint8_t)(habit->arch >> 8));
        put_hex(&w, (uint8_t)habit->arch);
        writer_cstring(&w, habit->client == ADAPT_HTTP ? " http" : " pxe");
        value[0] = (char)('0' + habit->form % 10);
        value[1] = '\0';
}

static bool get_hex(const char *s, size_t n, uint8_t *ret) {
        for (size_t i = 0; i < n; i++) {
                unsigned v = 0;

                for (size_t j = 0; j < 2; j++) {
                        char c = s[i * 2 + j];

                        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
                                return false;
                        v = v << 4 | (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
                }
                ret[i] = (uint8_t)v;
        }
        return true;
}

bool adapt_habit_parse(const char *key, const char *value, struct adapt_habit *ret) {
        struct adapt_habit habit = { 0 };
        uint8_t arch[2];

        if (strncmp(key, "form ", 5) != 0 || strlen(key) < 20 || key[11] != ' ' ||
            !get_hex(key + 5, 3, habit.vendor) || !get_hex(key + 12, 2, arch) ||
            value[0] < '1' || value[0] > '9' || value[1] != '\0')
                return false;
        if (strcmp(key + 16, " http") == 0)
                habit.client = ADAPT_HTTP;
        else if (strcmp(key + 16, " pxe") != 0)
                return false;
        habit.arch = load_be16(arch);
        habit.form = (unsigned)(value[0] - '0');
        *ret = habit;
        return true;
}
