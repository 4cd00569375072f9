"""The descriptions of media in test/golden/media, as src/media/media_test.c reads them."""


def make(description, tree):
    """Files in `tree` from lines PATH, or PATH = TEXT; the name of the volume."""
    volume = "V"
    for line in description.read_text().splitlines():
        if line == "=>":
            break
        if not line or line.startswith("#"):
            continue
        if line.startswith("volume "):
            volume = line[7:39]
            continue
        path, _, content = line.partition(" = ")
        target = tree / path
        target.parent.mkdir(parents=True, exist_ok=True)
        data = content.replace("\\n", "\n").encode()
        if content.startswith(("kernel: ", "program: ")):
            data = bytearray(1024)
            data[:2] = b"MZ" if content.startswith("program") else bytes(2)
            data[0x202:0x206], data[0x20e] = b"HdrS", 0x40
            version = content.partition(": ")[2].encode()
            data[0x240:0x240 + len(version)] = version
        target.write_bytes(data)
    return volume
