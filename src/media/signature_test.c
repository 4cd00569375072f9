/* The programs that Debian signs, where they are installed, and names that do not fit.
 */
#include "media/signature.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/check.h"
#include "wire/pe.h"

static int read_fd(void *userdata, uint64_t offset, void *buffer, size_t n) {
        return (int)pread(*(int *)userdata, buffer, n, (off_t)offset);
}

static void signature_of(const char *path, struct signature *ret) {
        struct stat st;
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        struct signature_source source = { .read = read_fd, .userdata = &fd };

        if (fd < 0 || fstat(fd, &st) < 0)
                skip(); /* tools/deps installs it */
        source.size = (uint64_t)st.st_size;
        assert_int_equal(signature_read(&source, ret), 0);
        close(fd);
}

static void debians_shim_is_microsofts_and_trusts_debian(void **state) {
        struct signature s;

        signature_of("/usr/lib/shim/shimx64.efi.signed", &s);
        assert_true(s.is_pe && s.is_shim && !s.is_grub);
        assert_int_equal(s.machine, PE_X64);
        assert_true(s.n_signers > 0);
        assert_non_null(strstr(s.signers[0].issuer, "Microsoft"));
        assert_non_null(strstr(s.vendor.subject, "Debian Secure Boot CA"));
        assert_non_null(strstr(s.sbat, "shim"));
}

static void debians_grub_is_debians_and_boots_by_net(void **state) {
        struct signature s, shim;
        char why[SIGNATURE_WHY_MAX];

        signature_of("/usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed", &s);
        signature_of("/usr/lib/shim/shimx64.efi.signed", &shim);
        assert_true(s.is_grub && !s.is_shim);
        assert_true(s.grub.n_modules > 20);
        assert_true(s.grub.has_net && s.grub.has_tftp && s.grub.has_config);
        assert_false(s.grub.has_http || s.grub.keeps_proxy);
        assert_string_equal(s.grub.prefix, "/grub");
        assert_non_null(strstr(s.signers[0].issuer, "Debian"));
        signature_why_not(&shim, &s, "GRUB", why);
        assert_string_equal(why, "");
        signature_why_not(NULL, &s, "GRUB", why);
        assert_non_null(strstr(why, "no shim"));
}

static void grub_of_a_disc_knows_no_net(void **state) {
        struct signature s;

        signature_of("/usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed", &s);
        assert_true(s.is_grub);
        assert_false(s.grub.has_tftp || s.grub.has_http);
}

static void ipxe_is_signed_by_nobody(void **state) {
        struct signature s;
        char why[SIGNATURE_WHY_MAX];

        signature_of("/usr/lib/ipxe/snponly.efi", &s);
        assert_true(s.is_pe);
        assert_int_equal(s.n_signers, 0);
        signature_why_not(NULL, &s, "loader", why);
        assert_string_equal(why, "the loader is not signed");
}

static void a_shim_starts_what_its_vendor_signs(void **state) {
        struct signature shim = { .is_pe = true,
                                  .is_shim = true,
                                  .vendor = { "Debian Secure Boot CA", "" } };
        struct signature kernel = { .is_pe = true, .n_signers = 1 };
        char why[SIGNATURE_WHY_MAX];

        strcpy(kernel.signers[0].subject, "Debian Secure Boot Signer 2022 - linux");
        strcpy(kernel.signers[0].issuer, "Debian Secure Boot CA");
        signature_why_not(&shim, &kernel, "kernel", why);
        assert_string_equal(why, "");
        strcpy(kernel.signers[0].issuer, "Canonical Ltd. Master CA");
        signature_why_not(&shim, &kernel, "kernel", why);
        assert_string_equal(why,
                            "the kernel is signed by Canonical Ltd. Master CA, and "
                            "the shim here trusts Debian Secure Boot CA");
        kernel.is_pe = false;
        signature_why_not(&shim, &kernel, "kernel", why);
        assert_string_equal(why, "the kernel is no UEFI program");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(debians_shim_is_microsofts_and_trusts_debian),
                cmocka_unit_test(debians_grub_is_debians_and_boots_by_net),
                cmocka_unit_test(grub_of_a_disc_knows_no_net),
                cmocka_unit_test(ipxe_is_signed_by_nobody),
                cmocka_unit_test(a_shim_starts_what_its_vendor_signs),
        };

        return check_run("signature", tests);
}
