# A small closure with something of everything that store paths can hold, built with nothing but a shell, coreutils and a C compiler
# of the machine: no nixpkgs. So it needs `sandbox = false`, or the machine's programs in the sandbox; make-cache.sh shows the latter.
#
#   hello ──> hello-program ──> hello.conf ──> greetings       manual.txt: only the image's configuration mentions it
#     └──────────────────────────────────────────┘
let
  # `exit`: the shell ends last, because Nix kills a builder that closes its output before it ends, as coreutils do.
  build = name: script: attributes: derivation ({
    inherit name;
    system = builtins.currentSystem;
    builder = "/bin/sh";
    args = [ "-euc" "${script}\nexit" ];
    PATH = "/usr/bin:/bin";
  } // attributes);

  # Data: a file name that is not ASCII, a relative link.
  greetings = build "greetings-1.0" ''
    mkdir -p $out/share
    cp -r $source $out/share/greetings
    chmod u+w $out/share/greetings
    ln -s deutsch $out/share/greetings/german
  '' { source = ./src/greetings; };

  # A store path that is a file.
  configuration = build "hello.conf" ''
    printf '%s\n' $greetings/share/greetings english > $out
  '' { inherit greetings; };

  # A static program without a C library.
  program = build "hello-program-1.0" ''
    mkdir -p $out/bin
    gcc -std=c11 -Os -Wall -Wextra -Werror -ffreestanding -fno-tree-loop-distribute-patterns -fno-stack-protector \
      -fno-asynchronous-unwind-tables -fcf-protection=none -static -no-pie -nostdlib -s \
      -Wl,--build-id=none -Wl,-z,noseparate-code -Wl,-z,noexecstack \
      -DCONFIGURATION="\"$configuration\"" -o $out/bin/hello-program $source
  '' { source = ./src/hello.c; inherit configuration; };

  # A source file, content-addressed.
  manual = "${./src/manual.txt}";

  # What a user sees: links into other store paths, a reference to itself, a script, an empty directory.
  hello = build "hello-1.0" ''
    mkdir -p $out/bin $out/libexec $out/share $out/var/lib/hello
    ln -s $program/bin/hello-program $out/bin/hello
    ln -s $greetings/share/greetings $out/share/greetings
    printf '#!/bin/sh\nexec %s/bin/hello "$@"\n' $out > $out/libexec/hello.sh
    chmod +x $out/libexec/hello.sh
  '' { inherit program greetings; };
in
{
  inherit greetings configuration program manual hello;

  # image.json is this value.
  image = {
    name = "hello";
    tag = "1.0";
    architecture = { x86_64-linux = "amd64"; aarch64-linux = "arm64"; }.${builtins.currentSystem};
    os = "linux";
    store = "file://cache";
    contents = [ hello ];
    config = {
      Cmd = [ "${program}/bin/hello-program" ];
      Env = [ "PATH=/bin" "HELLO_MANUAL=${manual}" ];
      Labels = { "org.opencontainers.image.title" = "hello"; "org.opencontainers.image.version" = "1.0"; };
      WorkingDir = "/";
    };
  };
}
