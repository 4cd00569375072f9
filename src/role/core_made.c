/*
 * Files made of a medium (media/made.h), told to the files worker as a list of pieces:
 * a few bytes of ours and stretches of what it serves anyway. The core opens none of
 * them and never sees an image; where it has to know what a file says (ESXi's
 * boot.cfg), it asks the worker to ask again with that file's content.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "ipc/pieces.h"
#include "media/made.h"
#include "policy/loader.h"
#include "policy/menu_path.h"
#include "render/made.h"
#include "role/core.h"
#include "wire/cpio.h"
#include "wire/uki.h"

/* An answer under construction. */
struct making {
        struct core *core;
        const struct core_medium *at;
        struct medium medium;
        ip4_t server;
        struct text bytes;  /* what goes into the descriptor */
        struct text pieces; /* the tail */
        size_t n_pieces;
        const char *why_not;
};

static void add_piece(struct making *m, const struct ipc_piece *piece) {
        if (m->n_pieces++ == IPC_PIECES_MAX)
                m->why_not = "it has too many pieces";
        else
                ipc_pieces_add(&m->pieces, piece);
}

/* All bytes that were added since there were `from`. */
static void add_bytes_since(struct making *m, size_t from) {
        const struct ipc_piece piece = { .kind = IPC_PIECE_BYTES,
                                         .offset = from,
                                         .length = m->bytes.n - from };

        if (piece.length > 0)
                add_piece(m, &piece);
}

static void add_file(struct making *m, const char *path, uint64_t length) {
        const struct ipc_piece piece = { .kind = IPC_PIECE_FILE,
                                         .length = length,
                                         .path = path };

        add_piece(m, &piece);
}

static void add_alignment(struct making *m) {
        const struct ipc_piece piece = { .kind = IPC_PIECE_ZEROS,
                                         .length = CPIO_ALIGN };

        add_piece(m, &piece);
}

/* ---- paths and addresses ---- */

static void add_url(const struct making *m, struct text *out) {
        uint16_t port = m->core->role->conf->http.port;

        text_add(out, "http://");
        text_ip4(out, m->server);
        if (port != 80) {
                text_char(out, ':');
                text_u64(out, port);
        }
        text_add(out, "/media/");
        text_add(out, m->at->name);
}

static void add_inside(const struct making *m, const char *path, struct text *out) {
        text_add(out, "media/");
        text_add(out, m->at->name);
        text_char(out, '/');
        text_add(out, path);
}

static void add_file_inside(struct making *m, const char *path) {
        struct text full = { 0 };

        add_inside(m, path, &full);
        add_file(m, text_string(&full), IPC_PIECE_REST);
        text_done(&full);
}

/* ---- archives and initrds ---- */

static void make_cpio(struct making *m, const char *name, size_t n_name) {
        struct text path = { 0 }, inner = { 0 };
        size_t from = m->bytes.n;
        const char *suffix = medium_image_suffix(m->medium.kind);
        uint64_t size = m->medium.size;

        text_bytes(&inner, name, n_name);
        if (!suffix) {
                m->why_not = "the medium has no image";
        } else if (!cpio_header(text_string(&inner), size,
                                m->medium.mtime / NSEC_PER_SEC, &m->bytes)) {
                m->why_not = "the image does not fit into an archive for an initramfs, "
                             "which ends at 4 GiB";
        } else {
                add_bytes_since(m, from);
                text_add(&path, "iso/");
                text_add(&path, m->at->name);
                text_add(&path, suffix);
                add_file(m, text_string(&path), size);
                from = m->bytes.n;
                cpio_trailer(size, &m->bytes);
                add_bytes_since(m, from);
        }
        text_done(&path);
        text_done(&inner);
}

/* A path of the served tree as a recipe writes it. What is made on the way itself is
 * made here, for pieces are of files that there are. */
static void add_served(struct making *m, const char *path) {
        struct text filled = { 0 };
        const struct menu menu = { .server = m->server };
        struct made made;

        menu_fill(path + strspn(path, "/"), m->at->name, &menu, &filled);
        if (!made_parse(text_string(&filled), &made))
                add_file(m, text_string(&filled), IPC_PIECE_REST);
        else if (made.kind == MADE_CPIO)
                make_cpio(m, made.name, made.n_name);
        else
                m->why_not = "its initrds hold what is no initrd";
        text_done(&filled);
}

static void make_initrd(struct making *m, const char *id, size_t n_id) {
        for (uint32_t i = 0; i < m->medium.n_entries; i++) {
                const struct medium_entry *entry = &m->medium.entries[i];

                if (strlen(entry->id) != n_id || memcmp(entry->id, id, n_id) != 0)
                        continue;
                for (uint32_t j = 0; j < entry->n_initrd; j++) {
                        if (j > 0)
                                add_alignment(m);
                        if (entry->initrd[j][0] == '/')
                                add_served(m, entry->initrd[j]);
                        else
                                add_file_inside(m, entry->initrd[j]);
                }
                return;
        }
}

/* ---- ESXi ---- */

static bool has_file(const char *path, size_t n, void *userdata) {
        const struct making *m = userdata;
        struct media_node node;

        /* Of a tree nobody here knows what there is: its names are believed. */
        return media_index_is_tree(&m->at->index) ||
               media_index_lookup(&m->at->index, path, n, &node);
}

static const char *esxi_args(const struct medium *medium) {
        for (uint32_t i = 0; i < medium->n_entries; i++)
                if (medium->entries[i].boot == MEDIUM_ESXI)
                        return medium->entries[i].args;
        return "";
}

static void make_boot_cfg(struct making *m, const char *source, size_t n_source) {
        const struct menu menu = { .server = m->server,
                                   .http_port = m->core->role->conf->http.port };
        struct text prefix = { 0 }, args = { 0 };

        add_url(m, &prefix);
        menu_fill(esxi_args(&m->medium), m->at->name, &menu, &args);
        if (!made_boot_cfg(source, n_source, text_string(&prefix), text_string(&args),
                           has_file, m, &m->bytes))
                m->why_not = "the medium's boot.cfg names no kernel";
        add_bytes_since(m, 0);
        text_done(&prefix);
        text_done(&args);
}

/* ---- what is assigned, as one program ---- */

static const struct core_medium *find(const struct core *core, const char *name,
                                      size_t n) {
        for (size_t i = 0; i < core->n_media; i++)
                if (strlen(core->media[i].name) == n &&
                    memcmp(core->media[i].name, name, n) == 0)
                        return &core->media[i];
        return NULL;
}

static void add_section(struct making *m, const char *name) {
        const struct ipc_piece piece = { .kind = IPC_PIECE_SECTION, .path = name };

        add_piece(m, &piece);
}

/* Its sections as systemd's stub reads them: systemd-stub(7). */
static void add_uki(struct making *m, const struct menu_entry *entry, const char *stub,
                    struct span head) {
        const struct ipc_piece rest = { .kind = IPC_PIECE_FILE,
                                        .offset = head.n,
                                        .length = IPC_PIECE_REST,
                                        .path = stub };
        size_t from;

        text_bytes(&m->bytes, (const char *)head.data, head.n);
        add_bytes_since(m, 0);
        add_piece(m, &rest);
        add_section(m, ".cmdline");
        from = m->bytes.n;
        text_add(&m->bytes, entry->args);
        add_bytes_since(m, from);
        add_section(m, ".linux");
        add_served(m, entry->kernel);
        add_section(m, ".initrd");
        for (size_t i = 0; i < entry->n_files; i++) {
                if (i > 0)
                        add_alignment(m);
                add_served(m, entry->files[i].path);
        }
}

/* For this machine and nobody else: false when there is nothing for it. `source` is the
 * beginning of the stub. */
static bool make_uki(struct making *m, struct machine *machine, const char *stub,
                     struct span source) {
        const struct conf_machine *own = core_menu_assigned(m->core, machine);
        enum policy_firmware firmware = policy_facts_arch(&machine->facts)->firmware;
        struct span head = { source.data, uki_head(source) };
        const struct menu_entry *entry;
        struct menu_model *model;

        if (!own || core_machines_is_over(m->core, own, machine->facts.mac) ||
            core_menu_new(m->core, machine, m->server, core_menu_firmware(firmware),
                          POLICY_NO_DIALECT, &model) < 0)
                return false;
        entry = &model->menu.entries[model->menu.initial];
        if (entry->kind == MENU_LINUX)
                m->at = find(m->core, entry->medium, strlen(entry->medium));
        if (!m->at) {
                m->why_not = "what is assigned to it is no Linux system that is here";
        } else if (head.n == 0) {
                m->why_not = "its stub is no unsigned program for UEFI";
        } else {
                media_index_medium(&m->at->index, &m->medium);
                add_uki(m, entry, stub, head);
        }
        menu_model_free(model);
        return true;
}

/* ---- requests ---- */

static void make(struct making *m, const struct made *made, const char *source,
                 size_t n_source) {
        struct text url = { 0 };

        switch (made->kind) {
        case MADE_CPIO:
                make_cpio(m, made->name, made->n_name);
                break;
        case MADE_INITRD:
                make_initrd(m, made->name, made->n_name);
                break;
        case MADE_BOOT_CFG:
                make_boot_cfg(m, source, n_source);
                break;
        case MADE_MBOOT_EFI:
                add_file_inside(m, "efi/boot/bootx64.efi");
                break;
        case MADE_CRYPTO_EFI:
                add_file_inside(m, "efi/boot/crypto64.efi");
                break;
        case MADE_WINPESHL:
                made_winpeshl(&m->bytes);
                add_bytes_since(m, 0);
                break;
        case MADE_STARTNET:
                add_url(m, &url);
                made_startnet(text_string(&url), &m->bytes);
                add_bytes_since(m, 0);
                break;
        case MADE_NOTHING:
                break;
        }
        text_done(&url);
}

static void say_refused(struct core *core, const char *path, const char *why,
                        ip4_t client) {
        struct event event = { .kind = EVENT_MADE_REFUSED, .address = client };

        event.values[0] = (struct event_value)EVENT_TEXT(path);
        event.values[1] = (struct event_value)EVENT_TEXT(why);
        core_event(core, &event);
}

static void ask_for_source(struct ipc_channel *channel, uint64_t ticket,
                           const char *path) {
        const struct ipc_generated answer = { .ticket = ticket,
                                              .found = IPC_FOUND_SOURCE };

        (void)ipc_send(channel, IPC_GENERATED, &answer, path, strlen(path), NULL, 0);
}

static void ask_for_boot_cfg(const struct making *m, struct ipc_channel *channel,
                             uint64_t ticket) {
        struct text path = { 0 };

        add_inside(m, "boot.cfg", &path);
        ask_for_source(channel, ticket, text_string(&path));
        text_done(&path);
}

static void reply(const struct making *m, struct ipc_channel *channel,
                  uint64_t ticket) {
        struct ipc_generated answer = { .ticket = ticket };
        int fd = memfd_create("made", MFD_CLOEXEC);

        if (fd >= 0 && !m->why_not && m->n_pieces > 0 && !m->bytes.failed &&
            !m->pieces.failed &&
            write(fd, text_string(&m->bytes), m->bytes.n) == (ssize_t)m->bytes.n)
                answer.found = IPC_FOUND_PIECES;
        (void)ipc_send(channel, IPC_GENERATED, &answer, m->pieces.s,
                       answer.found ? m->pieces.n : 0, &fd, answer.found != 0);
        if (fd >= 0)
                close(fd);
}

/* What is made of a medium: where a request asks for it by name. */
static void answer_made(struct making *m, struct ipc_channel *channel,
                        const struct made *made, const char *path, struct span source,
                        const struct ipc_generate *request) {
        m->at = find(m->core, made->medium, made->n_medium);
        if (m->at)
                media_index_medium(&m->at->index, &m->medium);
        if (m->at && made->kind == MADE_BOOT_CFG && !source.data) {
                ask_for_boot_cfg(m, channel, request->ticket);
                return;
        }
        if (m->at)
                make(m, made, (const char *)source.data, source.n);
        if (m->why_not)
                say_refused(m->core, path, m->why_not, request->client);
        reply(m, channel, request->ticket);
}

static void answer_uki(struct making *m, struct ipc_channel *channel, struct mac mac,
                       const char *path, struct span source,
                       const struct ipc_generate *request) {
        struct machine *machine = machines_by_mac(m->core->machines, mac);
        enum policy_loader stub = POLICY_LOADER_NONE;

        if (machine && machine->has_facts)
                stub = policy_loader_of(POLICY_KIND_UKI,
                                        policy_facts_arch(&machine->facts)->firmware);
        if (stub == POLICY_LOADER_NONE) {
                m->why_not = "no machine with such firmware has asked for an address";
        } else if (!source.data) {
                ask_for_source(channel, request->ticket, policy_loader_file(stub));
                return;
        } else if (!make_uki(m, machine, policy_loader_file(stub), source)) {
                m->why_not = "nothing is assigned to this machine now";
        }
        if (m->why_not)
                say_refused(m->core, path, m->why_not, request->client);
        reply(m, channel, request->ticket);
}

bool core_made(struct core *core, struct ipc_channel *channel,
               const struct ipc_message *message) {
        const struct ipc_generate *request = message->body;
        struct making m = { .core = core, .server = request->server };
        struct text tail = { 0 };
        struct span source = { 0 };
        struct menu_path asked;
        struct made made;
        const char *path;
        bool is_made = true;

        text_bytes(&tail, message->tail, message->n_tail);
        path = text_string(&tail);
        if (strlen(path) < tail.n)
                source = (struct span){ (const uint8_t *)path + strlen(path) + 1,
                                        tail.n - strlen(path) - 1 };
        if (!tail.failed && made_parse(path, &made))
                answer_made(&m, channel, &made, path, source, request);
        else if (!tail.failed && menu_path_parse(path, &asked) &&
                 asked.page == MENU_PAGE_UKI)
                answer_uki(&m, channel, asked.mac, path, source, request);
        else
                is_made = false;
        text_done(&m.bytes);
        text_done(&m.pieces);
        text_done(&tail);
        return is_made;
}
