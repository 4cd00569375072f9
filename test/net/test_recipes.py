"""A recipe of the administrator's: asked before ours, and told where it is wrong."""
import json

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
