# Phyllo for nixpkgs: `pkgs.callPackage ./package.nix { }`.
{ lib, buildNpmPackage, importNpmLock, installShellFiles, nodejs_24 }:
let
  manifest = lib.importJSON ../package.json;
  lock = lib.importJSON ../package-lock.json;

  # The lock file names no registry, so that it serves behind any. Its hashes hold what the public one gives.
  withAddress = path: entry:
    let
      name = entry.name or (lib.last (lib.splitString "node_modules/" path));
      address = "https://registry.npmjs.org/${name}/-/${baseNameOf name}-${entry.version}.tgz";
    in
    if entry ? integrity then { resolved = address; } // entry else entry;
in
buildNpmPackage {
  pname = "phyllo";
  inherit (manifest) version;

  src = lib.fileset.toSource {
    root = ../.;
    fileset = lib.fileset.unions [
      ../package.json ../package-lock.json ../tsconfig.json ../tsconfig.build.json ../bin ../src ../report-page ../completions ../schema ../scripts ../docs ../CHANGELOG.md ../LICENSE
    ];
  };

  nodejs = nodejs_24;
  npmDeps = importNpmLock {
    package = manifest;
    packageLock = lock // { packages = lib.mapAttrs withAddress lock.packages; };
  };
  npmConfigHook = importNpmLock.npmConfigHook;
  # The development dependency `node` would fetch a program; nixpkgs' own is used.
  npmRebuildFlags = [ "--ignore-scripts" ];
  npmPackFlags = [ "--ignore-scripts" ];

  nativeBuildInputs = [ installShellFiles ];
  postInstall = ''
    installManPage dist/man/*.1
    installShellCompletion dist/completions/phyllo.{bash,fish,zsh}
  '';

  meta = {
    inherit (manifest) description;
    license = lib.licenses.mit;
    mainProgram = "phyllo";
    platforms = lib.platforms.linux ++ lib.platforms.darwin;
  };
}
