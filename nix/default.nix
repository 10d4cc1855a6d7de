# In place of nixpkgs' dockerTools: `import ./nix { inherit pkgs; }`. What is not here (buildImage, fakeNss, binSh, …) is nixpkgs' own.
{ pkgs, phyllo ? pkgs.buildPackages.callPackage ./package.nix { } }:
pkgs.dockerTools // import ./functions.nix {
  inherit phyllo;
  system = pkgs.stdenv.buildPlatform.system;
  imageSystem = pkgs.stdenv.hostPlatform.system;
  inherit (pkgs.buildPackages) bash coreutils pigz zstd;
  inherit (pkgs) dockerTools;
  # What a derivation of nixpkgs has on its PATH, and what makes another user's files.
  commandPackages = with pkgs.buildPackages; [
    fakeroot
    findutils diffutils gnused gnugrep gawk gnutar gzip bzip2 gnumake patch xz
  ] ++ pkgs.lib.optionals pkgs.stdenv.buildPlatform.isLinux [ proot util-linux ];
} // { inherit phyllo; }
