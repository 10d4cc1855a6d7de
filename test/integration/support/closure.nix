# The closure that the integration tests share: examples/hello, freshly built, and what else a store path can hold.
let
  example = import ../../../examples/hello/closure.nix;
  build = import ./build.nix;

  # File names: bytes that are not UTF-8, an order in which code points and UTF-16 differ, what PAX headers are for. Links of all sorts.
  oddities = build "oddities-1.0" ''
    mkdir -p $out/names/a $out/links $out/empty/directory
    cd $out/names
    touch a/x "a b" a-b a.b A "$(printf 'latin1-\351')" "$(printf 'private-\357\200\200')" "$(printf 'astral-\360\237\245\220')"
    long=$(printf '%0120d' 0)
    mkdir -p $long/$long
    echo long > $long/$long/$long
    ln -s $long/$long/$long ../links/long
    ln -s nowhere ../links/dangling
    ln -s .. ../links/parent
    ln a-b hard-link
    : > ../empty/file
    printf '#!/bin/sh\n' > ../executable
    chmod 4755 ../executable
    echo $large > ../reference
  '' { inherit large; };

  # A store path that is a link, and one that uses most of the others.
  alias = build "alias-1.0" "ln -s $program $out" { inherit (example) program; };

  top = build "top-1.0" ''
    mkdir -p $out/bin $out/share
    ln -s $hello/bin/hello $out/bin/hello
    printf '%s\n' $oddities $alias $large > $out/share/references
  '' { inherit oddities alias large; inherit (example) hello; };

  # 20 MB, more than pipes hold, and more popular than top: its layer comes before top's.
  large = build "large-1.0" ''
    mkdir -p $out/share
    seq -f '%08.0f a line of a large file that compresses well' 380000 > $out/share/large
  '' { };

  # A build of it takes long enough to be interrupted. The file is sparse, so it costs no disk.
  huge = build "huge-1.0" ''
    mkdir -p $out/share
    truncate -s 400M $out/share/huge
  '' { };

  # The machine's bash and a few programs, with their libraries where they are looked for.
  shell = build "shell-1.0" ''
    mkdir -p $out/bin
    for program in bash chmod chown mkdir touch; do
      cp -L "$(command -v $program)" $out/bin
      for library in $(ldd $out/bin/$program | grep -o '/[^ ]*'); do
        mkdir -p $out$(dirname $library)
        cp -Lf $library $out$library
      done
    done
  '' { };

  # The graph of top as structured attributes hold it: the whole .attrs.json.
  graph = derivation {
    name = "graph";
    system = builtins.currentSystem;
    builder = "/bin/bash";
    args = [ "-euc" ''source .attrs.sh; /bin/cp .attrs.json "''${outputs[out]}"; exit'' ];
    __structuredAttrs = true;
    exportReferencesGraph.graph = [ top ];
  };

  # One derivation, many store paths, each referring to the one before it: for images of any number of layers.
  chain = count:
    let names = builtins.genList (index: if index == 0 then "out" else "link${toString index}") count; in
    derivation {
      name = "chain-1.0";
      system = builtins.currentSystem;
      builder = "/bin/bash";
      args = [ "-euc" ''
        previous=none
        for output in $outputs; do
          mkdir "''${!output}"
          echo "$previous" > "''${!output}/previous"
          previous=''${!output}
        done
      '' ];
      PATH = "/usr/bin:/bin";
      outputs = names;
    };
in
example // {
  inherit oddities alias top large huge shell graph;
  chain130 = builtins.getAttr "link129" (chain 130);
}
