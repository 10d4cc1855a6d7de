# What flake.nix and nix/ make of nixpkgs, for nix-functions-nixpkgs.test.ts. Nothing of it can be built: nixpkgs is a stub.
let
  nixpkgs = import ./stub-nixpkgs.nix;
  flake = (import ../../../flake.nix).outputs { self = flake; inherit nixpkgs; };
  overlaid = nixpkgs.pkgs // flake.overlays.default overlaid nixpkgs.pkgs;

  system = builtins.currentSystem;
  functions = flake.lib.${system};
  pull = arguments: functions.pullImage ({ imageName = "registry.example/group/base"; imageDigest = "sha256:0"; } // arguments);
  isDerivation = value: value.type == "derivation" && builtins.isString value.drvPath;
in
rec {
  program = flake.apps.${system}.default.program;
  addresses = map (name: flake.packages.${system}.default.arguments.npmDeps.packageLock.packages.${name}.resolved)
    [ "node_modules/zod" "node_modules/@types/node" ];

  image = functions.buildLayeredImage { name = "group/Image"; contents = nixpkgs.pkgs.zstd; };
  inherit (image) imageName;
  areDerivations = builtins.all isDerivation (builtins.attrValues (import ../../../examples/nixpkgs { inherit (nixpkgs) pkgs; }) ++ [
    overlaid.phyllo
    (overlaid.phylloTools.streamLayeredImage { name = "image"; })
    functions.fakeNss
    image
    image.stream
    image.conf
    (functions.buildLayeredImage { name = "image"; compressor = "zstd"; extraCommands = "touch file"; })
    (functions.mergeImages [ image image ])
    (functions.exportImage { fromImage = image; })
    (pull { sha256 = "0000000000000000000000000000000000000000000000000000"; })
    (pull { hash = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="; variant = "v8"; })
  ]);
}
