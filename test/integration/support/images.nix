# What nix-functions.test.ts builds.
{ package, node }:
let
  closure = import ./closure.nix;
  inherit (import ./store-path-functions.nix { inherit package node; }) build bash phyllo fakeroot functions;
  inherit (functions) buildLayeredImage streamLayeredImage mergeImages exportImage;

  test = {
    name = "test";
    tag = "1";
    contents = [ closure.top ];
    config = { Cmd = [ "/bin/hello" ]; Env = [ "PATH=/bin" "MANUAL=${closure.manual}" ]; };
  };
  withoutTag = removeAttrs test [ "tag" ];

  # Prints the greeting.
  greeter = arguments: buildLayeredImage ({
    tag = "1";
    compressor = "none";
    contents = closure.hello;
    config.Cmd = [ "/bin/hello" ];
  } // arguments);

  # A directory that the base has, too, with the same file and another one.
  upper = build "upper" "mkdir -p $out/share && echo upper > $out/share/references && echo upper > $out/share/upper" { };
  other = build "other" "mkdir $out && echo other > $out/other" { };
in
rec {
  # In place of nixpkgs'.
  programs = {
    inherit bash phyllo fakeroot;
    inherit (closure) hello;
    coreutils = build "coreutils" "mkdir $out && ln -s /usr/bin $out/bin" { };
  };

  # Of an image that is in the registry of the test alone.
  inherit (functions) pullImage;
  # Its program is the base's.
  onBase = fromImage: greeter { name = "on-base"; inherit fromImage; contents = other; };
  inherit (closure) top hello program manual;
  inherit other upper fakeroot bash;

  stream = streamLayeredImage test;
  archive = buildLayeredImage (test // { compressor = "none"; });
  inherit (archive) conf;
  gzipped = buildLayeredImage test;
  zstandard = buildLayeredImage (test // { compressor = "zstd"; });

  untagged = buildLayeredImage (withoutTag // { compressor = "none"; });
  streamOfUntagged = untagged.stream;
  answers = {
    tags = {
      own = untagged.imageTag;
      stream = untagged.stream.imageTag;
      said = said.imageTag;
      other = (streamLayeredImage (withoutTag // { config = { }; })).imageTag;
      overridden = ((streamLayeredImage (withoutTag // { config = { }; })).override { inherit (test) config; }).imageTag;
      changed = ((registry.override (old: { tag = "${old.tag}.1"; })).override { uid = 1; }).imageTag;
    };
    names = [ registry.imageName registry.imageTag ];
    passthru = said.owner;
    inherit (said.meta) description;
  };
  # The untagged image with its defaults said.
  said = streamLayeredImage (withoutTag // {
    contents = closure.top;
    fromImage = null;
    created = "1970-01-01T00:00:01Z";
    maxLayers = 100;
    uid = 0;
    extraCommands = "";
    passthru.owner = "me";
    meta.description = "the same image";
  });

  helloImage = greeter { name = "hello"; };
  configOnly = greeter { name = "config-only"; contents = [ ]; config.Cmd = [ "${closure.program}/bin/hello-program" ]; };
  shared = greeter { name = "shared"; contents = [ closure.hello other ]; };
  twoLayers = greeter { name = "two-layers"; maxLayers = 2; };
  registry = greeter { name = "registry.example:5000/Group/Hello"; };
  quoting = greeter {
    name = "quoting";
    config.Env = [ "PATH=/bin" "QUOTES='\"\\\${x}$(id)`id`" "LINES=a\nb" "GREEK=ελληνικά" ];
  };
  now = greeter { name = "now"; created = "now"; };
  owned = greeter {
    name = "owned";
    uid = 1000;
    gid = 100;
    uname = "user";
    gname = "users";
    config = { Cmd = [ "/bin/hello" ]; User = "1000:100"; };
  };
  # As many flakes have it: the first digits of `lastModifiedDate`.
  foreign = greeter { name = "foreign"; architecture = "arm"; variant = "v7"; created = builtins.substring 0 8 "20240131123456"; };
  pipeline = greeter { name = "pipeline"; layeringPipeline = [ [ "popularity_contest" ] [ "limit_layers" 3 ] ]; debug = true; };

  # Built on others: a compressed archive, and one that is itself built on another. `other` is not in the base.
  based = buildLayeredImage {
    name = "based";
    tag = "1";
    compressor = "none";
    fromImage = gzipped;
    contents = [ upper other ];
    config = { Cmd = [ "/bin/hello" ]; Env = [ "MANUAL=none" "MORE=1" ]; };
  };
  basedStream = based.stream;
  basedTwice = greeter { name = "based-twice"; fromImage = based; contents = [ ]; maxLayers = 20; };

  merged = mergeImages [ archive (greeter { name = "gzipped-hello"; compressor = "gz"; }) configOnly ];
  exported = exportImage { fromImage = gzipped; };
  exportedOfMerged = exportImage { fromImage = merged; fromImageName = "config-only"; fromImageTag = "1"; };

  commands = greeter {
    name = "commands";
    extraCommands = ''
      mkdir -p etc home/user
      echo "it's \$1 \"quoted\" \''${x}" > etc/quoted
      echo ${other}/other > etc/mention
    '';
    # The sandbox's own user: Debian's fakeroot has no others in a user namespace, for which nixpkgs' has a patch.
    fakeRootCommands = "chown 1000:100 home/user && chmod 0700 home/user";
  };
  commandsStream = commands.stream;
  # What only the commands' output mentions: a program that they find.
  found = greeter { name = "found"; extraCommands = "command -v fakeroot > found"; };
  nixpkgsFormatArchive = buildLayeredImage (test // {
    extraCommands = "echo made > made";
    format = "dockertools";
    compressor = "none";
  });
  nixpkgsFormat = nixpkgsFormatArchive.stream;
  nixpkgsFormatConf = nixpkgsFormatArchive.conf;
  # A directory beside this file, copies instead of links, modes and owners without commands.
  permitted = greeter {
    name = "permitted";
    contents = [ closure.hello ../../../examples/hello/src ];
    copyToRoot = [ other ];
    perms = [
      { path = closure.hello; regex = "libexec/.*"; mode = "0700"; uid = 1000; gid = 100; uname = "user"; gname = "users"; }
      { path = other; regex = "other$"; mode = "0640"; }
    ];
    extraCommands = "echo made > made";
    fakeRootCommands = "chown 1000:100 made";
  };
  permittedConf = permitted.conf;
  # Nearly every argument at once.
  everything = buildLayeredImage {
    name = "everything";
    tag = "1";
    compressor = "none";
    fromImage = gzipped;
    contents = [ closure.hello upper ];
    copyToRoot = [ other ];
    include = [ "tmp" "nss" "bin-sh=${bash}" "usr-bin-env=${closure.program}/bin/hello-program" ];
    includeNixDB = true;
    extraCommands = "mkdir -p var/lib/everything; echo 'quoted' > var/quoted";
    fakeRootCommands = "chown 1000:100 var/lib/everything";
    labels.maintainer = "nobody";
    annotations."example.kind" = "everything";
    about = { version = "1.0"; licenses = "MIT"; };
    perms = [
      { path = closure.hello; regex = "libexec/.*"; mode = "0700"; }
      { regex = "/other$"; uid = 1000; capabilities = "cap_net_bind_service=ep"; }
    ];
    uid = 5;
    gid = 6;
    uname = "five";
    gname = "six";
    created = "2001-02-03T04:05:06Z";
    mtime = "2002-02-03T04:05:06Z";
    architecture = "arm";
    variant = "v7";
    layers = [ [ closure.program ] ];
    minLayerSize = 100;
    maxLayers = 15;
    "inherit" = [ "Cmd" ];
    config = { Env = [ "PATH=/bin" "MANUAL=${closure.manual}" ]; ExposedPorts."80/tcp" = { }; };
  };
  withDatabase = greeter {
    name = "with-database";
    includeNixDB = true;
    include = [ "tmp" "nss" "bin-sh=${bash}" ];
  };
  withoutStore = greeter { name = "without-store"; includeStorePaths = false; };

  # What a build sees.
  sandbox = build "sandbox" ''
    grep --only-matching '[^ ]*:' /proc/net/dev | tr -d : > $out
    if [ -e /nix/var/nix/db ]; then echo database; else echo no database; fi >> $out
  '' { };
}
