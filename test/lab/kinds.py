"""The machines of the lab: which QEMU, which firmware, how it is told to boot from the
network. A kind is a row; what differs is data, so that a test only names it."""
import dataclasses
import os
import pathlib
import shutil

OVMF = pathlib.Path("/usr/share/OVMF")
AAVMF = pathlib.Path("/usr/share/AAVMF")
U_BOOT = pathlib.Path("/usr/lib/u-boot")
INSTALLERS = pathlib.Path("/usr/lib/debian-installer/images/12")  # of the payload

Q35 = ("-machine", "q35")
# The variables of Secure Boot are only trusted where none but the firmware's system
# management mode can write them.
Q35_SMM = ("-machine", "q35,smm=on",
           "-global", "driver=cfi.pflash01,property=secure,value=on")
VIRT = ("-machine", "virt", "-cpu", "cortex-a57")


@dataclasses.dataclass(frozen=True)
class Kind:
    program: str = "qemu-system-x86_64"
    machine: tuple = ()
    code: pathlib.Path = None       # EDK2's program, in flash
    variables: pathlib.Path = None  # a copy of it is the machine's own memory
    bios: pathlib.Path = None       # anything else that starts instead of SeaBIOS
    arch: str = "amd64"             # of the payload
    nic: str = "virtio-net-pci"
    rom: bool = False               # the card's own iPXE, which hides EDK2's stack
    http: bool = False              # leave the firmware no way but HTTP Boot

    def files(self):
        return [f for f in (self.code, self.variables, self.bios) if f]

    def missing(self):
        """What is not installed, or None."""
        if not shutil.which(self.program):
            return self.program
        files = [*self.files(), INSTALLERS / self.arch]
        return next((str(f) for f in files if not f.exists()), None)

    def command(self, folder, network, nic, rom, http, memory, mac):
        device = f"{nic},netdev=n,mac={mac}"
        device += ",bootindex=1" if self.bios is None else ""
        command = [self.program, "-accel", "tcg", "-m", str(memory), *self.machine,
                   "-display", "none", "-monitor", "none", "-serial", "stdio",
                   "-no-reboot", "-net", "none", "-netdev",
                   f"tap,id=n,ifname={network.tap()},script=no,downscript=no",
                   "-device", device + ("" if rom else ",romfile=")]
        if self.bios:
            command += ["-bios", self.bios]
        if self.code:
            own = folder / "vars.fd"
            shutil.copy(self.variables, own)
            os.chmod(own, 0o600)
            command += ["-drive", f"if=pflash,format=raw,readonly=on,file={self.code}",
                        "-drive", f"if=pflash,format=raw,file={own}"]
        if http:
            for name in ("IPv4PXESupport", "IPv6PXESupport"):
                command += ["-fw_cfg", f"name=opt/org.tianocore/{name},string=n"]
        return command


UEFI = Kind(machine=Q35, code=OVMF / "OVMF_CODE_4M.fd",
            variables=OVMF / "OVMF_VARS_4M.fd")
ARM64 = Kind(program="qemu-system-aarch64", machine=VIRT, code=AAVMF / "AAVMF_CODE.fd",
             variables=AAVMF / "AAVMF_VARS.fd", arch="arm64")
replace = dataclasses.replace

KINDS = {
    "bios": Kind(nic="e1000", rom=True),
    "uefi": UEFI,
    "uefi-ipxe-rom": replace(UEFI, rom=True),
    "uefi-http": replace(UEFI, http=True),
    "uefi-secure": replace(UEFI, machine=Q35_SMM, code=OVMF / "OVMF_CODE_4M.secboot.fd",
                           variables=OVMF / "OVMF_VARS_4M.ms.fd"),
    # Debian has this one only as a build that could enforce Secure Boot; its variables
    # hold no key, so it does not.
    "uefi-ia32": replace(UEFI, machine=Q35_SMM, arch="i386",
                         code=OVMF / "OVMF32_CODE_4M.secboot.fd",
                         variables=OVMF / "OVMF32_VARS_4M.fd"),
    "arm64": ARM64,
    "arm64-http": replace(ARM64, http=True),
    "arm64-secure": replace(ARM64, code=AAVMF / "AAVMF_CODE.ms.fd",
                            variables=AAVMF / "AAVMF_VARS.ms.fd"),
    "uboot-arm64": Kind(program="qemu-system-aarch64", machine=VIRT,
                        bios=U_BOOT / "qemu_arm64/u-boot.bin",
                        arch="arm64"),
    "uboot-riscv64": Kind(program="qemu-system-riscv64", machine=("-machine", "virt"),
                          bios=U_BOOT / "qemu-riscv64/u-boot.bin", arch="riscv64"),
}
