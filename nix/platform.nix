# What image configurations call the platform that Nix calls `system`.
system:
let
  platforms = {
    x86_64 = { architecture = "amd64"; };
    i686 = { architecture = "386"; };
    aarch64 = { architecture = "arm64"; };
    armv5tel = { architecture = "arm"; variant = "v5"; };
    armv6l = { architecture = "arm"; variant = "v6"; };
    armv7l = { architecture = "arm"; variant = "v7"; };
    powerpc64le = { architecture = "ppc64le"; };
    riscv64 = { architecture = "riscv64"; };
    s390x = { architecture = "s390x"; };
    loongarch64 = { architecture = "loong64"; };
    mips64el = { architecture = "mips64le"; };
  };
  processor = builtins.head (builtins.split "-" system);
in
platforms.${processor} or (throw "phyllo: what images call the processor ${processor} is not known: give architecture")
