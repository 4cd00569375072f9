#include "render/made.h"

#include "test/check.h"

/* The medium has these as they are written here, and Z.V00 in capitals only there. */
static bool has(const char *path, size_t n, void *userdata) {
        static const char *const names[] = { "b.b00", "k.b00", "Odd.v00", "z.v00" };

        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (strlen(names[i]) == n && memcmp(names[i], path, n) == 0)
                        return true;
        return false;
}

static void assert_made(const char *from, const char *args, const char *expected) {
        struct text out = { 0 };

        assert_true(made_boot_cfg(from, strlen(from), "http://192.168.1.6/media/esx",
                                  args, has, NULL, &out));
        assert_string_equal(text_string(&out), expected);
        text_done(&out);
}

static void boot_cfg_is_rewritten_for_the_network(void **state) {
        assert_made("bootstate=0\ntitle=Loading ESXi installer\ntimeout=5\nprefix=\n"
                    "kernel=/b.b00\nkernelopt=runweasel cdromBoot\n"
                    "modules=/k.b00 --- /Odd.v00 --- /Z.V00\nbuild=7.0.3\nupdated=0\n",
                    "",
                    "bootstate=0\ntitle=Loading ESXi installer\ntimeout=5\n"
                    "prefix=http://192.168.1.6/media/esx\n"
                    "kernel=b.b00\nkernelopt=runweasel\n"
                    "modules=k.b00 --- Odd.v00 --- z.v00\nbuild=7.0.3\nupdated=0\n");
        /* CR LF, no prefix, no newline at the end, and arguments of the entry. */
        assert_made("kernel=/b.b00\r\nkernelopt=runweasel\r\nmodules=/k.b00",
                    "runweasel ks=http://192.168.1.6/ks.cfg",
                    "prefix=http://192.168.1.6/media/esx\n"
                    "kernel=b.b00\nkernelopt=runweasel ks=http://192.168.1.6/ks.cfg\n"
                    "modules=k.b00\n");
        assert_made("kernel=b.b00\nmodules=\n", "ks=usb",
                    "prefix=http://192.168.1.6/media/esx\nkernel=b.b00\nmodules=\n"
                    "kernelopt=ks=usb\n");
}

static void what_is_no_boot_cfg_is_refused(void **state) {
        static const char *const bad[] = { "", "\n\n", "kernelopt=x\n", "=",
                                           "kernel\nmodules=/a" };
        struct text out = { 0 };

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                assert_false(made_boot_cfg(bad[i], strlen(bad[i]), "p", "", has, NULL,
                                           &out));
        text_done(&out);
}

static void startnet_knows_where_the_medium_is(void **state) {
        struct text out = { 0 };

        made_startnet("http://192.168.1.6:8080/media/w%20n", &out);
        assert_non_null(
                strstr(text_string(&out),
                       "\r\nset TREE=http://192.168.1.6:8080/media/w%%20n\r\n"));
        for (const char *s = text_string(&out); (s = strchr(s, '\n')); s++)
                assert_int_equal(s[-1], '\r');
        text_done(&out);
        out = (struct text){ 0 };
        made_winpeshl(&out);
        assert_memory_equal(text_string(&out), "[LaunchApps]\r\n", 14);
        text_done(&out);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(boot_cfg_is_rewritten_for_the_network),
                cmocka_unit_test(what_is_no_boot_cfg_is_refused),
                cmocka_unit_test(startnet_knows_where_the_medium_is),
        };

        return check_run("render/made", tests);
}
