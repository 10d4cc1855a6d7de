# What flake.nix and nix/ make of nixpkgs, for nix-functions-nixpkgs.test.ts. Nothing of it can be built: nixpkgs is a stub.
let
  system = builtins.currentSystem;
  pkgs = import ./stub-nixpkgs.nix { inherit system; };
  nixpkgs = { inherit (pkgs) lib; legacyPackages.${system} = pkgs; };
  flake = (import ../../../flake.nix).outputs { self = flake; inherit nixpkgs; };
  overlaid = pkgs // flake.overlays.default overlaid pkgs;

  functions = flake.lib.${system};
  pull = arguments: functions.pullImage ({ imageName = "registry.example/group/base"; imageDigest = "sha256:0"; } // arguments);
  package = flake.packages.${system}.default;
  isDerivation = value: value.type == "derivation" && builtins.isString value.drvPath;
in
rec {
  program = flake.apps.${system}.default.program;
  sources = map toString package.arguments.src;
  addresses = map (name: package.arguments.npmDeps.packageLock.packages.${name}.resolved)
    [ "node_modules/zod" "node_modules/@types/node" ];

  image = functions.buildLayeredImage { name = "group/Image"; contents = pkgs.zstd; };
  inherit (image) imageName;
  areDerivations = builtins.all isDerivation (builtins.attrValues (import ../../../examples/nixpkgs { inherit pkgs; }) ++ [
    overlaid.phyllo
    (overlaid.phylloTools.streamLayeredImage { name = "image"; })
    ((pkgs.callPackage ../../../nix { }).streamLayeredImage { name = "image"; })
    functions.fakeNss
    image
    image.stream
    image.conf
    (functions.buildLayeredImage { name = "image"; compressor = "zstd"; extraCommands = "touch file"; })
    (functions.buildLayeredImage { name = "image"; tag = "1"; format = "nixpkgs"; })
    (functions.mergeImages [ image image ])
    (functions.exportImage { fromImage = image; })
    (pull { sha256 = "0000000000000000000000000000000000000000000000000000"; })
    (pull { hash = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="; variant = "v8"; })
  ]);
}
