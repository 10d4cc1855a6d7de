#!/usr/bin/env python3
"""A layered image by the method that `phyllo build` is measured against: Python's tarfile, one thread, every layer made twice.

usage: streamer.py PLAN.json OUTPUT [--root DIR] [--digests FILE]

PLAN.json is what `phyllo plan --json` prints; its store layers go into the archive OUTPUT (`-`: standard output). A layer's digest stands in
its name, before its bytes, so the method makes each layer once to hash it and once more to write it. The files of /nix/store/... are read
below DIR when it is given. FILE gets the layers' digests, one a line.

It uses pathlib and tarfile as nixpkgs' streamLayeredImage does, but writes a layer straight into the archive, where that one has a pipe
and a second thread between them.
"""
import argparse
import hashlib
import itertools
import json
import pathlib
import sys
import tarfile

MTIME = 1


class Sha256Sink:
    """Takes bytes as a file does and keeps their digest and number."""

    def __init__(self):
        self._hash = hashlib.sha256()
        self.size = 0

    def write(self, data):
        self._hash.update(data)
        self.size += len(data)
        return len(data)

    def digest(self):
        return self._hash.hexdigest()


def main():
    arguments = parse_arguments()
    with open(arguments.plan, encoding="utf-8") as file:
        layers = [layer["paths"] for layer in json.load(file)["layers"] if layer["kind"] == "store"]
    if arguments.output == "-":
        digests = write_image(sys.stdout.buffer, layers, arguments.root)
    else:
        with open(arguments.output, "wb") as output:
            digests = write_image(output, layers, arguments.root)
    if arguments.digests:
        with open(arguments.digests, "w", encoding="utf-8") as file:
            file.writelines(f"sha256:{digest}\n" for digest in digests)


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("plan")
    parser.add_argument("output")
    parser.add_argument("--root", default="")
    parser.add_argument("--digests")
    return parser.parse_args()


def write_image(output, layers, root):
    """Writes a docker archive of these layers; their digests."""
    digests = []
    with tarfile.open(fileobj=output, mode="w|") as image:
        for paths in layers:
            digests.append(add_layer(image, paths, root))
        config = json.dumps({"rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in digests]}}).encode()
        config_name = f"{hashlib.sha256(config).hexdigest()}.json"
        add_document(image, config_name, config)
        manifest = [{"Config": config_name, "RepoTags": ["streamer:latest"], "Layers": [layer_name(digest) for digest in digests]}]
        add_document(image, "manifest.json", json.dumps(manifest).encode())
    return digests


def add_layer(image, paths, root):
    sink = Sha256Sink()
    write_layer(sink, paths, root)
    digest = sink.digest()
    image.addfile(member(layer_name(digest), sink.size))
    write_layer(image.fileobj, paths, root)
    image.fileobj.write(bytes(-sink.size % tarfile.BLOCKSIZE))
    return digest


def add_document(image, name, content):
    image.addfile(member(name, len(content)))
    image.fileobj.write(content + bytes(-len(content) % tarfile.BLOCKSIZE))


def layer_name(digest):
    return f"{digest}/layer.tar"


def member(name, size=0):
    info = tarfile.TarInfo(name)
    info.size = size
    return owned(info)


def owned(info):
    info.mtime, info.uid, info.gid, info.uname, info.gname = MTIME, 0, 0, "root", "root"
    return info


def write_layer(output, paths, root):
    with tarfile.open(fileobj=output, mode="w|", format=tarfile.PAX_FORMAT) as layer:
        for name in ("/nix", "/nix/store"):
            layer.addfile(directory(name))
        for path in paths:
            add_tree(layer, path, root)


def directory(name):
    info = owned(tarfile.TarInfo(name))
    info.type, info.mode = tarfile.DIRTYPE, 0o755
    return info


def add_tree(layer, path, root):
    """Adds a store path and everything below it, sorted by path components. Links are not followed; hard links become files."""
    top = pathlib.Path(root + path)
    files = [top] if top.is_symlink() else itertools.chain([top], top.rglob("*"))
    for file in sorted(files):
        info = owned(layer.gettarinfo(file))
        info.name = str(file)[len(root):]
        if info.islnk():
            info.type, info.linkname, info.size = tarfile.REGTYPE, "", file.stat().st_size
        if info.isreg():
            with open(file, "rb") as content:
                layer.addfile(info, content)
        else:
            layer.addfile(info)


if __name__ == "__main__":
    main()
