/*
 * boot.cfg, as VMware's guides describe it ("About the boot.cfg File", ESXi 6.7 to 8):
 * lines of name=value; prefix= is put before every path in kernel= and modules= that
 * does not begin with '/', modules are parted by "---", and "any other line must remain
 * unchanged". On the medium all paths begin with '/', for it stands at the root of a
 * CD; over the network they have to lose it.
 *
 * The word cdromBoot of kernelopt= makes the installer look for a CD, and it goes.
 */
#include "render/made.h"

struct job {
        const char *prefix, *args;
        made_has_file_fn has;
        void *userdata;
        struct text *out;
        bool has_kernel, has_options, has_prefix;
};

static char lower(char c) {
        return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* As the medium calls it: boot.cfg writes some names larger than they are. */
static void add_path(const struct job *job, const char *s, size_t n) {
        while (n > 0 && *s == '/') {
                s++;
                n--;
        }
        if (job->has(s, n, job->userdata)) {
                text_bytes(job->out, s, n);
                return;
        }
        for (size_t i = 0; i < n; i++)
                text_char(job->out, lower(s[i]));
}

static bool is_blank(char c) {
        return c == ' ' || c == '\t' || c == '\r';
}

/* The next word of a value: its length, and where it begins. */
static size_t next_word(const char **s, const char *end) {
        size_t n = 0;

        while (*s < end && is_blank(**s))
                (*s)++;
        while (*s + n < end && !is_blank((*s)[n]))
                n++;
        return n;
}

static bool is(const char *s, size_t n, const char *word) {
        return strlen(word) == n && memcmp(s, word, n) == 0;
}

static void add_paths(const struct job *job, const char *s, const char *end) {
        size_t n;

        for (bool first = true; (n = next_word(&s, end)) > 0; s += n, first = false) {
                if (!first)
                        text_char(job->out, ' ');
                if (is(s, n, "---"))
                        text_add(job->out, "---");
                else
                        add_path(job, s, n);
        }
}

static bool has_word(const char *all, const char *word, size_t n) {
        const char *end = all + strlen(all);
        size_t n_this;

        for (; (n_this = next_word(&all, end)) > 0; all += n_this)
                if (n_this == n && memcmp(all, word, n) == 0)
                        return true;
        return false;
}

/* Its own options, and then ours; a word of ours is not said twice. */
static void add_options(const struct job *job, const char *s, const char *end) {
        bool first = true;
        size_t n;

        for (; (n = next_word(&s, end)) > 0; s += n) {
                if (is(s, n, "cdromBoot") || has_word(job->args, s, n))
                        continue;
                if (!first)
                        text_char(job->out, ' ');
                text_bytes(job->out, s, n);
                first = false;
        }
        if (job->args[0]) {
                text_add(job->out, first ? "" : " ");
                text_add(job->out, job->args);
        }
}

static bool is_name(const char *line, size_t n, const char *name) {
        size_t n_name = strlen(name);

        return n > n_name && memcmp(line, name, n_name) == 0 && line[n_name] == '=';
}

static void add_prefix(struct job *job) {
        text_add(job->out, "prefix=");
        text_add(job->out, job->prefix);
        text_char(job->out, '\n');
        job->has_prefix = true;
}

static void add_line(struct job *job, const char *line, size_t n) {
        const char *value = memchr(line, '=', n), *end = line + n;

        if (is_name(line, n, "prefix"))
                return; /* ours stands before the first path */
        if (!value || !(is_name(line, n, "kernel") || is_name(line, n, "modules") ||
                        is_name(line, n, "kernelopt"))) {
                text_bytes(job->out, line, n);
                text_char(job->out, '\n');
                return;
        }
        value++;
        if (!job->has_prefix)
                add_prefix(job);
        text_bytes(job->out, line, (size_t)(value - line));
        if (is_name(line, n, "kernelopt")) {
                add_options(job, value, end);
                job->has_options = true;
        } else {
                add_paths(job, value, end);
                job->has_kernel |= is_name(line, n, "kernel");
        }
        text_char(job->out, '\n');
}

bool made_boot_cfg(const char *from, size_t n, const char *prefix, const char *args,
                   made_has_file_fn has, void *userdata, struct text *out) {
        struct job job = { .prefix = prefix,
                           .args = args,
                           .has = has,
                           .userdata = userdata,
                           .out = out };
        const char *end = from + n;

        while (from < end) {
                const char *line = from;
                size_t n_line;

                from = memchr(line, '\n', (size_t)(end - line));
                n_line = (size_t)((from ? from : end) - line);
                from = from ? from + 1 : end;
                while (n_line > 0 && is_blank(line[n_line - 1]))
                        n_line--;
                add_line(&job, line, n_line);
        }
        if (!job.has_options && args[0]) {
                text_add(out, "kernelopt=");
                text_add(out, args);
                text_char(out, '\n');
        }
        return job.has_kernel && !out->failed;
}
