# nix/functions.nix with Phyllo, Node.js and a shell as store paths, and without nixpkgs.
#
# package: Phyllo's files; node: the program; both store paths.
{ package, node }:
rec {
  build = import ./build.nix;

  bash = build "bash" "mkdir -p $out/bin && cp /bin/bash $out/bin/bash" { };
  nodejs = build "nodejs" "mkdir -p $out/bin && ln -s ${node} $out/bin/node" { };
  phyllo = build "phyllo" ''
    mkdir -p $out/bin
    printf '#!%s/bin/bash\nexec %s/bin/node %s/bin/phyllo.cjs "$@"\n' $bash $nodejs $package > $out/bin/phyllo
    chmod +x $out/bin/phyllo
  '' { inherit bash nodejs package; };

  # Debian's own name for it is a link through /etc, which is not in the sandbox.
  fakeroot = build "fakeroot" "mkdir -p $out/bin && ln -s /usr/bin/fakeroot-sysv $out/bin/fakeroot" { };

  functions = functionsBeside null;
  functionsBeside = dockerTools: import ../../../nix/functions.nix {
    inherit phyllo bash nodejs dockerTools;
    coreutils = "/usr";
    commandPackages = [ fakeroot "/usr" ];
  };
}
