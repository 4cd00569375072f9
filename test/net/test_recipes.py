"""A recipe of the administrator's: asked before ours, and told where it is wrong."""
import hashlib
import json
import os
import subprocess

import lab

def test_a_recipe_of_ones_own_is_read_inside_the_sandbox(network, folder):
    own, tree = folder / "recipes", folder / "media" / "thing"
    own.mkdir()
    tree.mkdir(parents=True)
    (tree / "kernel").write_bytes(b"x" * 100)
    (own / "10-thing.yaml").write_text(
        "system: thing\nmatch: [{file: kernel}]\nfind: [{let: {arch: amd64}}]\n"
        "entries: [{id: thing, title: A thing, kernel: kernel}]\n")
    (own / "20-wrong.yaml").write_text("system: s\nmatch: [{fiel: f}]\n")
    with lab.Server(network, "--media", folder / "media",
                    config=f"recipes: {own}\n") as server:
        server.wait_for("medium thing:")
        server.wait_for(f"{own}/20-wrong.yaml:2:10: unknown key; the nearest is 'file'")
        listed, = json.loads(server.query("media", "--json"))
        assert listed["system"] == "thing"
        assert [entry["id"] for entry in listed["entries"]] == ["thing"]


RECIPE = """system: thing
match: [{file: kernel}]
find: [{let: {arch: amd64}}]
entries: [{id: ID, title: A thing, kernel: kernel}]
"""


def test_recipes_are_read_again_while_media_are_fetched(network, client, folder):
    """By their change and by SIGHUP; a wrong one leaves those of before, with file and line."""
    own, medium = folder / "recipes", folder / "media" / "m.tar"
    own.mkdir()
    medium.parent.mkdir()
    (folder / "kernel").write_bytes(os.urandom(4 << 20))
    lab.run("tar", "-C", folder, "-cf", medium, "kernel")
    (own / "10-thing.yaml").write_text(RECIPE.replace("ID", "before"))

    def ids(server):
        listed, = json.loads(server.query("media", "--json"))
        return [entry["id"] for entry in listed["entries"]]

    with lab.Server(network, "--media", medium.parent,
                    config=f"recipes: {own}\n") as server:
        server.wait_for("medium m: thing")
        fetch = subprocess.Popen(
            network.inside("curl", "-sf", "--limit-rate", "800K", "-o", folder / "got",
                           "http://10.77.0.1/media/m/kernel", where=client))
        server.wait_for("http media/m/kernel: ")
        assert fetch.poll() is None
        (own / "10-thing.yaml").write_text(RECIPE.replace("ID", "after"))
        server.wait_for("read again, and 1 media seen otherwise")
        assert ids(server) == ["after"]
        (own / "10-thing.yaml").write_text("system: thing\nmatch: [{fiel: kernel}]\n")
        server.wait_for(f"recipes of before stay: {own}/10-thing.yaml:2:10: unknown key")
        lab.run(lab.program(), "reload", "--state", str(server.state))
        assert ids(server) == ["after"]
        assert fetch.wait(timeout=60) == 0
        assert (hashlib.sha256((folder / "got").read_bytes()).digest()
                == hashlib.sha256((folder / "kernel").read_bytes()).digest())
