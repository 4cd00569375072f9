/*
 * Firmware that is not a PC's, and machines that are told something else than others:
 * what their answers say on the wire.
 */
#include "policy/loader.h"
#include "test/story/dhcp4_world.h"

/* What its maker documents, byte by byte: discovery control, a prompt, a menu of one
 * item whose title is the text that it looks for. */
static const char pi_vendor[] = "\6\1\3\12\4\0PXE\11\27\0\0\24Raspberry Pi Boot   \377";

static void a_raspberry_pi_reads_its_text_in_option_43(void **state) {
        struct world *w = new_started();
        struct asking a = pxe(DHCP4_DISCOVER, POLICY_ARCH_PI);

        assert_int_equal(say(w, &a), DHCP4_OFFER);
        assert_true(answer_has(w, DHCP4_VENDOR_CLASS, "PXEClient", 9));
        assert_true(
                answer_has(w, DHCP4_VENDOR_OPTIONS, pi_vendor, sizeof(pi_vendor) - 1));
        assert_int_equal(w->answer.siaddr, us);
        /* Asking again changes nothing: there is one form, and it is documented. */
        for (uint32_t i = 1; i < 6; i++) {
                a.xid = i;
                pass(w, 5 SECONDS);
                assert_int_equal(say(w, &a), DHCP4_OFFER);
                assert_true(answer_has(w, DHCP4_VENDOR_OPTIONS, pi_vendor,
                                       sizeof(pi_vendor) - 1));
        }
        world_free(w);
}

static void a_raspberry_pi_is_answered_beside_another_server(void **state) {
        struct world *w = new_world();
        struct asking a = pxe(DHCP4_DISCOVER, POLICY_ARCH_PI);

        w->config.is_proxy = true;
        world_start(w);
        assert_int_equal(say(w, &a), DHCP4_OFFER);
        assert_int_equal(w->answer.yiaddr, 0);
        assert_true(
                answer_has(w, DHCP4_VENDOR_OPTIONS, pi_vendor, sizeof(pi_vendor) - 1));
        assert_int_equal(w->answer.siaddr, us);
        world_free(w);
}

static void an_answer_waits_where_the_configuration_says_so(void **state) {
        struct world *w = new_world();
        struct asking a = pxe(DHCP4_DISCOVER, POLICY_ARCH_PI);

        w->subnets[0].scope.reply_delay = 2 SECONDS;
        w->config.scope.reply_delay = 1 SECONDS;
        world_start(w);
        assert_int_equal(say(w, &a), DHCP4_OFFER);
        assert_int_equal(w->send->delay, 2 SECONDS);
        w->subnets[0].scope.reply_delay = 0;
        world_reload(w);
        assert_int_equal(say(w, &a), DHCP4_OFFER);
        assert_int_equal(w->send->delay, 1 SECONDS);
        world_free(w);
}

static void u_boot_gets_the_folder_of_its_menu(void **state) {
        struct world *w = new_started();
        struct asking a = { .type = DHCP4_DISCOVER,
                            .client = 1,
                            .vendor_class = "U-Boot.armv8",
                            .has_arch = true,
                            .arch = 22 };

        assert_int_equal(say(w, &a), DHCP4_OFFER);
        assert_string_equal(w->answer.file, "pxelinux.0");
        assert_int_equal(w->answer.siaddr, us);
        assert_false(w->answer.has[DHCP4_VENDOR_OPTIONS]);
        world_free(w);
}

/* It takes the first offer that comes, and one of a proxy has no address. */
static void a_proxy_says_nothing_to_u_boot(void **state) {
        struct world *w = new_world();
        struct asking a = { .type = DHCP4_DISCOVER,
                            .client = 1,
                            .vendor_class = "U-Boot.armv8",
                            .has_arch = true,
                            .arch = 22 };

        w->config.is_proxy = true;
        world_start(w);
        assert_int_equal(say(w, &a), -1);
        assert_non_null(find_event(w, EVENT_DHCP_SILENT));
        world_free(w);
}

static void a_mac_gets_an_address_and_a_reason(void **state) {
        struct world *w = new_started();
        struct asking a = { .type = DHCP4_DISCOVER,
                            .client = 1,
                            .vendor_class = "AAPLBSDPC/i386/iMac14,3" };
        char *sentence;

        assert_int_equal(say(w, &a), DHCP4_OFFER);
        assert_int_equal(w->answer.yiaddr, NET(10));
        assert_false(w->answer.has[DHCP4_VENDOR_CLASS]);
        sentence = sentence_of(w, EVENT_BOOT_DECIDED);
        assert_non_null(strstr(sentence, "BSDP"));
        test_free(sentence);
        world_free(w);
}

static void a_machine_is_pinned_by_mac_or_uuid_and_others_are_not(void **state) {
        struct world *w = new_world();
        struct policy_machine machines[2] = {
                { .has_uuid = true, .loader = POLICY_KIND_IPXE },
                { .mac = mac_of(2), .loader = POLICY_KIND_SYSLINUX },
        };
        struct asking a = pxe(DHCP4_DISCOVER, 7);

        memcpy(machines[0].uuid.b, uuid + 1, 16);
        w->config.rules.machines = machines;
        w->config.rules.n_machines = 2;
        world_start(w);
        a.has_uuid = false;
        assert_int_equal(say(w, &a), DHCP4_OFFER);
        assert_string_equal(w->answer.file, "grubx64.efi");
        a.client = 2;
        assert_int_equal(say(w, &a), DHCP4_OFFER);
        assert_string_equal(w->answer.file, "efi64/syslinux.efi");
        a.client = 3;
        a.has_uuid = true;
        assert_int_equal(say(w, &a), DHCP4_OFFER);
        assert_string_equal(w->answer.file, "ipxe.efi");
        world_free(w);
}

/* UEFI 2.10 24.7.3: the class, and the URL of what is to be loaded. */
static void http_boot_is_offered_an_image_by_its_url(void **state) {
        struct world *w = new_world();
        struct policy_machine machine = { .mac = mac_of(1),
                                          .loader = POLICY_KIND_ISO,
                                          .boot = "debian-12",
                                          .iso = "iso/debian.iso" };
        struct asking a = pxe(DHCP4_DISCOVER, 16);
        static const char url[] = "http://192.168.1.1:8080/iso/debian.iso";

        w->config.rules.machines = &machine;
        w->config.rules.n_machines = 1;
        w->config.rules.http_port = 8080;
        world_start(w);
        a.client = 1;
        a.vendor_class = "HTTPClient:Arch:00016:UNDI:003001";
        assert_int_equal(say(w, &a), DHCP4_OFFER);
        assert_true(answer_has(w, DHCP4_VENDOR_CLASS, "HTTPClient", 10));
        assert_true(answer_has(w, DHCP4_BOOT_FILE, url, strlen(url)));
        world_free(w);
}

static void a_subnet_asks_for_secure_boot_and_a_host_does_not(void **state) {
        struct world *w = new_world();
        struct asking a = pxe(DHCP4_DISCOVER, 7);

        w->subnets[0].scope.secure_boot = POLICY_SECURE_ON;
        w->hosts[0] = (struct scope_host){ .mac = mac_of(2) };
        w->hosts[0].scope.secure_boot = POLICY_SECURE_OFF;
        w->config.n_hosts = 1;
        world_start(w);
        assert_int_equal(say(w, &a), DHCP4_OFFER);
        assert_string_equal(w->answer.file, "shimx64.efi");
        a.client = 2;
        assert_int_equal(say(w, &a), DHCP4_OFFER);
        assert_string_equal(w->answer.file, "grubx64.efi");
        world_free(w);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_raspberry_pi_reads_its_text_in_option_43),
                cmocka_unit_test(a_raspberry_pi_is_answered_beside_another_server),
                cmocka_unit_test(an_answer_waits_where_the_configuration_says_so),
                cmocka_unit_test(u_boot_gets_the_folder_of_its_menu),
                cmocka_unit_test(a_proxy_says_nothing_to_u_boot),
                cmocka_unit_test(a_mac_gets_an_address_and_a_reason),
                cmocka_unit_test(a_machine_is_pinned_by_mac_or_uuid_and_others_are_not),
                cmocka_unit_test(http_boot_is_offered_an_image_by_its_url),
                cmocka_unit_test(a_subnet_asks_for_secure_boot_and_a_host_does_not),
        };

        return check_run("dhcp4_firmware", tests);
}
