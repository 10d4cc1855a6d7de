{
  description = "Many-layered, bit-for-bit reproducible container images from a closure of Nix store paths";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs = { self, nixpkgs }:
    let
      systems = [ "x86_64-linux" "aarch64-linux" "x86_64-darwin" "aarch64-darwin" ];
      forEachSystem = make: nixpkgs.lib.genAttrs systems (system: make nixpkgs.legacyPackages.${system});
    in
    {
      packages = forEachSystem (pkgs: rec {
        phyllo = pkgs.callPackage ./nix/package.nix { };
        default = phyllo;
      });

      apps = forEachSystem (pkgs: rec {
        phyllo = {
          type = "app";
          program = "${self.packages.${pkgs.stdenv.hostPlatform.system}.phyllo}/bin/phyllo";
        };
        default = phyllo;
      });

      overlays.default = import ./nix/overlay.nix;

      # dockerTools' functions: phyllo.lib.${system}.buildLayeredImage
      lib = forEachSystem (pkgs: import ./nix { inherit pkgs; });
    };
}
