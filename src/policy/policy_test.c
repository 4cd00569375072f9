/* Facts → decision, one row a case; the trace is told in full in test/golden. */
#include "policy/loader.h"

#include "test/check.h"

#define ALL             (POLICY_BIT(POLICY_N_LOADERS) - 1)
#define WITHOUT(loader) (ALL & ~POLICY_BIT(loader))

static const struct row {
        const char *what;
        uint16_t arch;
        bool is_pxe, is_http, is_ipxe, is_proxy;
        uint32_t features;
        uint64_t loaders;
        uint16_t port;
        const char *filename;
        enum policy_verdict verdict;
        const char *file, *why;
} rows[] = {
        { "BIOS", 0, true, false, false, false, 0, ALL, 80, "", POLICY_BOOT,
          "pxelinux.0", "pxelinux" },
        { "BIOS with an iPXE ROM", 0, true, false, true, false, POLICY_IPXE_HTTP, ALL,
          80, "", POLICY_BOOT, "pxelinux.0", "pxelinux" },
        { "BIOS beside a DHCP server", 0, true, false, false, true, 0, ALL, 80, "",
          POLICY_BOOT, "pxelinux.0", "pxelinux" },
        { "BIOS without pxelinux", 0, true, false, false, false, 0,
          WITHOUT(POLICY_PXELINUX), 80, "", POLICY_BOOT, "lpxelinux.0", "lpxelinux" },
        { "BIOS with nothing", 0, true, false, false, false, 0, 0, 80, "",
          POLICY_CANNOT_BOOT, "", "install the package pxelinux" },
        { "UEFI", 7, true, false, false, false, 0, ALL, 80, "", POLICY_BOOT,
          "grubx64.efi", "GRUB" },
        { "UEFI as EBC", 9, true, false, false, false, 0, ALL, 80, "", POLICY_BOOT,
          "grubx64.efi", "GRUB" },
        { "UEFI without GRUB", 7, true, false, false, false, 0,
          WITHOUT(POLICY_GRUB_X64), 80, "", POLICY_BOOT, "snponly.efi", "iPXE" },
        { "UEFI with nothing", 7, true, false, false, false, 0, 0, 80, "",
          POLICY_CANNOT_BOOT, "", "grub-efi-amd64-signed" },
        { "UEFI proxy", 7, true, false, false, true, 0, ALL, 80, "", POLICY_BOOT,
          "snponly.efi", "iPXE" },
        { "UEFI proxy without snponly", 7, true, false, false, true, 0,
          WITHOUT(POLICY_SNPONLY), 80, "", POLICY_BOOT, "ipxe.efi", "iPXE" },
        { "UEFI proxy without HTTP", 7, true, false, false, true, 0, ALL, 0, "",
          POLICY_BOOT, "efi64/syslinux.efi", "syslinux" },
        { "UEFI proxy without HTTP and syslinux", 7, true, false, false, true, 0,
          WITHOUT(POLICY_SYSLINUX_X64), 0, "", POLICY_CANNOT_BOOT, "", "http.port" },
        { "UEFI proxy, iPXE at last", 7, true, false, true, true, POLICY_IPXE_HTTP, ALL,
          80, "", POLICY_BOOT, "http://10.0.0.1/boot.ipxe", "script" },
        { "UEFI proxy, iPXE, another port", 7, true, false, true, true,
          POLICY_IPXE_HTTP, ALL, 8080, "", POLICY_BOOT,
          "http://10.0.0.1:8080/boot.ipxe", "script" },
        { "UEFI proxy, iPXE without HTTP", 7, true, false, true, true, 0, ALL, 80, "",
          POLICY_BOOT, "snponly.efi", "iPXE" },
        { "HTTP Boot", 16, false, true, false, false, 0, ALL, 80, "", POLICY_BOOT,
          "http://10.0.0.1/snponly.efi", "by its URL" },
        { "ia32", 6, true, false, false, false, 0, ALL, 80, "", POLICY_BOOT,
          "grubia32.efi", "GRUB" },
        { "arm64", 11, true, false, false, false, 0, ALL, 80, "", POLICY_BOOT,
          "grubaa64.efi", "GRUB" },
        { "an unlisted number", 999, true, false, false, false, 0, ALL, 80, "",
          POLICY_CANNOT_BOOT, "", "no loader for unknown" },
        { "no boot", 0, false, false, false, false, 0, ALL, 80, "", POLICY_NOT_A_BOOT,
          "", "does not ask" },
        { "configured", 7, true, false, false, false, 0, ALL, 80, "my/loader.efi",
          POLICY_BOOT, "my/loader.efi", "configuration" },
        { "configured, for one who names no class", 0, false, false, false, false, 0,
          ALL, 80, "pxelinux.0", POLICY_BOOT, "pxelinux.0", "configuration" },
        { "configured, but never iPXE for ever", 7, true, false, true, false,
          POLICY_IPXE_HTTP, ALL, 80, "ipxe.efi", POLICY_BOOT,
          "http://10.0.0.1/boot.ipxe", "script" },
};

static void each_firmware_gets_what_it_can_start(void **state) {
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                const struct row *row = &rows[i];
                struct policy_rules rules = { .loaders = row->loaders,
                                              .http_port = row->port };
                struct policy_facts facts = { .has_arch = row->is_pxe || row->is_http,
                                              .arch = row->arch,
                                              .is_pxe = row->is_pxe,
                                              .is_http = row->is_http,
                                              .is_ipxe = row->is_ipxe,
                                              .is_proxy = row->is_proxy,
                                              .ipxe_features = row->features,
                                              .filename = row->filename,
                                              .server = 0x0a000001 };
                struct policy_decision d;

                policy_decide(&rules, &facts, &d);
                if (d.verdict != row->verdict || strcmp(d.file, row->file) != 0 ||
                    !strstr(d.why, row->why))
                        fail_msg("%s: verdict %d, file '%s', why '%s'", row->what,
                                 d.verdict, d.file, d.why);
                assert_true(d.n_trace >= 3);
        }
}

static void a_next_server_of_the_configuration_wins(void **state) {
        struct policy_rules rules = { .loaders = ALL, .http_port = 80 };
        struct policy_facts facts = { .is_pxe = true, .server = 1, .next_server = 2 };
        struct policy_decision d;

        policy_decide(&rules, &facts, &d);
        assert_int_equal(d.next_server, 2);
        facts.next_server = 0;
        policy_decide(&rules, &facts, &d);
        assert_int_equal(d.next_server, 1);
}

/* By HTTP Boot first of all, else where there is no loader. */
static void what_is_assigned_starts_without_a_loader(void **state) {
        static const struct {
                uint16_t arch;
                bool waits, is_pinned, is_proxy;
                uint32_t firmware;
                uint64_t loaders;
                const char *file, *why;
        } cases[] = {
                { 16, false, false, false, 1u << POLICY_UEFI_X64, ALL,
                  "http://10.0.0.1/bootjack/uki/52-54-00-12-34-56.efi", "one program" },
                { 19, false, false, false, 1u << POLICY_UEFI_ARM64, ALL,
                  "http://10.0.0.1/bootjack/uki/52-54-00-12-34-56.efi", "one program" },
                { 16, true, false, false, 1u << POLICY_UEFI_X64, ALL,
                  "http://10.0.0.1/snponly.efi", "iPXE" },
                { 16, true, true, false, 1u << POLICY_UEFI_X64, ALL,
                  "http://10.0.0.1/bootjack/uki/52-54-00-12-34-56.efi", "pinned" },
                { 16, false, false, false, 1u << POLICY_UEFI_ARM64, ALL,
                  "http://10.0.0.1/snponly.efi", "iPXE" },
                { 16, false, false, false, 1u << POLICY_UEFI_X64,
                  WITHOUT(POLICY_UKI_X64), "http://10.0.0.1/snponly.efi", "iPXE" },
                { 7, false, false, false, 1u << POLICY_UEFI_X64, ALL, "grubx64.efi",
                  "GRUB" },
                { 7, false, true, false, 1u << POLICY_UEFI_X64, ALL,
                  "bootjack/uki/52-54-00-12-34-56.efi", "pinned" },
                { 7, false, true, false, 0, ALL, "", "no Linux system" },
                { 19, false, false, false, 0, POLICY_BIT(POLICY_UKI_ARM64), "",
                  "assign a system" },
                { 11, false, false, true, 1u << POLICY_UEFI_ARM64,
                  POLICY_BIT(POLICY_UKI_ARM64) | POLICY_BIT(POLICY_GRUB_ARM64),
                  "bootjack/uki/52-54-00-12-34-56.efi", "one program" },
                { 11, false, false, true, 0,
                  POLICY_BIT(POLICY_UKI_ARM64) | POLICY_BIT(POLICY_GRUB_ARM64), "",
                  "beside another DHCP server: assign a system" },
                { 7, false, false, true, 1u << POLICY_UEFI_X64, ALL, "snponly.efi",
                  "iPXE" },
                { 19, false, false, false, 1u << POLICY_UEFI_ARM64, 0, "",
                  "package systemd-boot-efi" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct policy_machine machine = { .boot = "debian",
                                                  .waits = cases[i].waits,
                                                  .uki_firmware = cases[i].firmware };
                struct policy_rules rules = { .loaders = cases[i].loaders,
                                              .http_port = 80,
                                              .machines = &machine,
                                              .n_machines = 1 };
                struct policy_facts facts = { .has_arch = true,
                                              .arch = cases[i].arch,
                                              .is_http = cases[i].arch > 15,
                                              .is_pxe = cases[i].arch < 15,
                                              .is_proxy = cases[i].is_proxy,
                                              .server = 0x0a000001 };
                struct policy_decision d;

                assert_true(mac_parse("52:54:00:12:34:56", &machine.mac));
                facts.mac = machine.mac;
                machine.loader = cases[i].is_pinned ? POLICY_KIND_UKI : 0;
                policy_decide(&rules, &facts, &d);
                if (strcmp(d.file, cases[i].file) != 0 || !strstr(d.why, cases[i].why))
                        fail_msg("case %zu: file '%s', why '%s'", i, d.file, d.why);
        }
}

static void every_word_is_an_architecture(void **state) {
        uint16_t number;

        for (size_t i = 0; policy_arch_words[i]; i++)
                assert_true(policy_arch_parse(policy_arch_words[i], &number));
        assert_true(policy_arch_parse("x64", &number));
        assert_int_equal(number, 7);
        assert_false(policy_arch_parse("x65", &number));
}

static void the_explanation_is_json(void **state) {
        struct policy_rules rules = { .loaders = ALL, .http_port = 80 };
        struct policy_facts facts = { .is_pxe = true, .vendor_class = "a\"b" };
        struct policy_decision d;
        struct text out = { 0 };

        policy_decide(&rules, &facts, &d);
        text_char(&out, '{');
        policy_json(&facts, &d, &out);
        text_char(&out, '}');
        assert_non_null(strstr(text_string(&out), "\"file\":\"pxelinux.0\""));
        assert_non_null(strstr(text_string(&out), "a\\\"b"));
        assert_non_null(strstr(text_string(&out), "\"trace\":[{\"rule\":\"firmware\""));
        text_done(&out);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_firmware_gets_what_it_can_start),
                cmocka_unit_test(a_next_server_of_the_configuration_wins),
                cmocka_unit_test(what_is_assigned_starts_without_a_loader),
                cmocka_unit_test(every_word_is_an_architecture),
                cmocka_unit_test(the_explanation_is_json),
        };

        return check_run("policy", tests);
}
