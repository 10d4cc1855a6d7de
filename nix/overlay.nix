# `phyllo`, and `phylloTools` with dockerTools' functions.
final: _prev: {
  phyllo = final.callPackage ./package.nix { };
  phylloTools = import ./. { pkgs = final; phyllo = final.buildPackages.phyllo; };
}
