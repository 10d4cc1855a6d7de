# What nixpkgs-format.test.ts builds: images as nixpkgs' functions describe them, whose part the vectors play.
#
# cases: a file with a list of { case, repoTag, conf, storePaths }.
{ package, node, cases }:
let
  inherit (import ./store-path-functions.nix { inherit package node; }) build functionsBeside;

  vectors = builtins.fromJSON (builtins.readFile cases);
  byCase = make: builtins.listToAttrs (map (vector: { name = vector.case; value = make vector; }) vectors);

  # The functions of nixpkgs, which take all arguments but `format`.
  dockerTools.streamLayeredImage = { name, vector, meta ? { } }: {
    imageTag = tagOf vector;
    conf = build "${name}-conf.json" "cp $textPath $out" {
      text = builtins.appendContext vector.conf (builtins.listToAttrs
        (map (path: { name = path; value.path = true; }) vector.storePaths));
      passAsFile = [ "text" ];
    };
  };
  inherit (functionsBeside dockerTools) streamLayeredImage buildLayeredImage;

  nameOf = vector: builtins.head (builtins.split ":" vector.repoTag);
  tagOf = vector: builtins.elemAt (builtins.split ":" vector.repoTag) 2;
  arguments = vector: { name = nameOf vector; format = "nixpkgs"; meta.description = "an image"; inherit vector; };
in
{
  streams = byCase (vector: streamLayeredImage (arguments vector));
  archives = byCase (vector: buildLayeredImage (arguments vector // { compressor = "none"; }));
  answers = byCase (vector:
    let image = buildLayeredImage (arguments vector); in
    [ image.imageName image.imageTag image.meta.description (image.stream.isExe or false) ]);

  # The same image, described here.
  described = byCase (vector:
    let conf = builtins.fromJSON vector.conf; in
    streamLayeredImage {
      name = nameOf vector;
      tag = tagOf vector;
      format = "dockertools";
      inherit (conf) architecture config;
    });
}
