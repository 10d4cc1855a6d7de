# As much of nixpkgs as flake.nix, nix/default.nix, nix/package.nix and nix/overlay.nix use: there is none where tests run.
#
# programs: packages that can be used, by their names; of the others there is nothing but derivations.
{ system, programs ? { } }:
let
  package = name: derivation {
    inherit name system;
    builder = "/bin/sh";
    args = [ "-euc" "mkdir $out\nexit" ];
    PATH = "/usr/bin:/bin";
  };
  packageNames = [
    "bash" "coreutils" "pigz" "zstd" "fakeroot" "findutils" "diffutils" "gnused" "gnugrep" "gawk" "gnutar" "gzip" "bzip2"
    "gnumake" "patch" "xz" "nodejs_24" "util-linux" "proot" "hello" "darkhttpd" "installShellFiles"
  ];
  genAttrs = names: make: builtins.listToAttrs (map (name: { inherit name; value = make name; }) names);

  lib = {
    inherit genAttrs;
    inherit (builtins) mapAttrs;
    optionals = condition: list: if condition then list else [ ];
    importJSON = file: builtins.fromJSON (builtins.readFile file);
    splitString = separator: text: builtins.filter builtins.isString (builtins.split separator text);
    last = list: builtins.elemAt list (builtins.length list - 1);
    fileset = { unions = files: map (file: assert builtins.pathExists file; file) files; toSource = { root, fileset }: fileset; };
    licenses.mit = "MIT";
    platforms = { linux = [ "x86_64-linux" ]; darwin = [ "aarch64-darwin" ]; };
  };

  importNpmLock = { package, packageLock }: { inherit package packageLock; };
  pkgs = genAttrs packageNames package // programs // {
    inherit lib pkgs;
    stdenv = genAttrs [ "buildPlatform" "hostPlatform" ] (_: { inherit system; isLinux = true; });
    buildPackages = pkgs // { phyllo = package "phyllo"; };
    buildNpmPackage = arguments: (programs.phyllo or (package arguments.pname)) // { inherit arguments; };
    dockerTools = {
      buildLayeredImage = throw "nixpkgs' own";
      streamLayeredImage = { name, tag }: { conf = package "${name}-conf.json"; imageTag = tag; };
      fakeNss = package "fake-nss";
    };
    importNpmLock = { __functor = _: importNpmLock; npmConfigHook = "hook"; };
    callPackage = file: arguments:
      let function = import file; in
      function (builtins.intersectAttrs (builtins.functionArgs function) pkgs // arguments);
  };
in
pkgs
