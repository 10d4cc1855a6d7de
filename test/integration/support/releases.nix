# One application in releases that differ in one place: the versions of a library, of what is in the middle, and of the root.
{ library ? "1", middle ? "1", root ? "1", leaf ? "1" }:
let
  build = name: script: import ./build.nix name "mkdir $out\n${script}";

  base = build "base-1.0" "seq 300000 > $out/base" { };
  lib = build "lib-3.${library}" "seq 100000 > $out/lib; echo $library $base > $out/v" { inherit library base; };
  mid = build "mid-2.${middle}" "seq 50000 > $out/mid; echo $lib $middle > $out/r" { inherit lib middle; };
  side = build "side-1.0" "seq 20000 > $out/side; echo $lib > $out/r" { inherit lib; };
  data = build "data-7.${leaf}" "seq 30000 > $out/data; echo $leaf > $out/v" { inherit leaf; };
  app = build "app-1.0" "echo $mid $side $base $data $root > $out/app" { inherit mid side base data root; };
in
app
