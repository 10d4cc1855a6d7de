# dockerTools' functions, made of nothing but Nix and the programs in the arguments: nixpkgs is not needed. docs/nix.md explains them.
#
#   description ──> graph ──> archive    the image as a file in the store
#   (IMAGE.json)        └───> stream     a script that writes the archive, for which the store holds only the files before it
#
# Commands run in a derivation of their own, between the two: what they make is a tar, the image's uppermost layer.
#
# The description is a root of the graph: Nix finds in its text what contents, config and commands refer to.
{
  # Where builds run, with Nix's name.
  system ? builtins.currentSystem,
  # Where images run.
  imageSystem ? system,
  # Packages, or other paths that have programs in bin/.
  phyllo,
  bash,
  coreutils,
  # More of them for extraCommands and fakeRootCommands, fakeroot among them.
  commandPackages ? [ ],
  # What compresses archives: pigz and zstd on all cores, or Node.js on one.
  pigz ? null,
  zstd ? null,
  nodejs ? null,
  # nixpkgs' own functions, for images that they describe.
  dockerTools ? null,
}:
let
  inherit (builtins)
    attrNames concatStringsSep filter genList head isFunction isList isString map removeAttrs replaceStrings split stringLength
    substring toJSON unsafeDiscardStringContext;

  platform = import ./platform.nix imageSystem;

  # --- Images -----------------------------------------------------------------------------------------------------------------------

  streamLayeredImage = overridable (arguments: (describe arguments).stream);

  buildLayeredImage = overridable ({ compressor ? "gz", ... }@arguments:
    let image = describe (removeAttrs arguments [ "compressor" ]); in
    image.finish (if compressor == "none" then image.archive else image.compressed (compressors.${compressor} or (throw
      ''phyllo: the compressor is "${compressor}", and must be one of "none", "gz", "zstd"''))));

  buildLayeredImageWithNixDb = arguments: buildLayeredImage (arguments // { includeNixDB = true; });

  # One archive of several images, in which what they share is once.
  mergeImages = images:
    run "merged-images.tar.gz" ''
      phyllo merge ${concatStringsSep " " (map (image: "docker-archive:${image}") images)} --to docker-archive:image.tar
      ${compressors.gz.command} < image.tar > "$out"
    '' { };

  # The flat root file system as a tar.
  exportImage =
    { fromImage
    , fromImageName ? null
    , fromImageTag ? null
    , name ? fromImage.name
      # Of the virtual machine that dockerTools needs for it.
    , diskSize ? null
    }:
    let reference = optionalText (fromImageName != null && fromImageTag != null) ":${fromImageName}:${fromImageTag}"; in
    run name ''phyllo copy ${quote "docker-archive:${fromImage}${reference}"} rootfs:rootfs.tar && mv rootfs.tar "$out"'' { };

  # An image from a registry, held by the hash of the archive.
  pullImage =
    { imageName
    , imageDigest
    , sha256 ? ""
    , hash ? ""
    , os ? "linux"
    , arch ? platform.architecture
    , variant ? null
    , finalImageName ? imageName
    , finalImageTag ? "latest"
      # false: plain http is good enough, too.
    , tlsVerify ? true
    , name ? "docker-image-${derivationName finalImageName}.tar"
    }:
    run name ''
      phyllo copy --os ${quote os} --architecture ${quote arch} ${optionalText (variant != null) "--variant ${quote variant}"} \
        ${optionalText (!tlsVerify) "--insecure-registry ${quote (head (split "/" imageName))}"} \
        ${quote "docker://${imageName}@${imageDigest}"} ${quote "docker-archive:image.tar:${finalImageName}:${finalImageTag}"}
      mv image.tar "$out"
    ''
      {
        outputHashMode = "flat";
        outputHashAlgo = if hash == "" then "sha256" else null;
        outputHash = if hash == "" then sha256 else hash;
        impureEnvVars = [ "http_proxy" "https_proxy" "no_proxy" "HTTP_PROXY" "HTTPS_PROXY" "NO_PROXY" ];
      } // { imageName = finalImageName; imageTag = finalImageTag; };

  # --- An image's parts -------------------------------------------------------------------------------------------------------------

  describe = { format ? "phyllo", ... }@arguments:
    if format == "nixpkgs" then describeInNixpkgs (removeAttrs arguments [ "format" ]) else describeHere arguments;

  describeHere = { name, tag ? null, debug ? false, format ? "phyllo", passthru ? { }, meta ? { }, ... }@arguments:
    let
      baseName = derivationName name;
      # As in nixpkgs: known when the expression is evaluated, and another one for every other description.
      imageTag = if tag != null then tag else head (split "-" (baseNameOf (unsafeDiscardStringContext conf.outPath)));

      conf = writeFile "${baseName}.json" { text = toJSON (descriptionOf arguments); };
      # What the layer mentions is in the image, too: Nix finds it in the tar.
      hasCommands = (arguments.extraCommands or "") != "" || (arguments.fakeRootCommands or "") != "";
      layer = run "${baseName}-customisation.tar" ''
        phyllo customise ${conf} --graph ${exportGraph "${baseName}-commands.json" [ conf ]} --output "$out"
      '' { PATH = searchPath ([ phyllo ] ++ commandPackages); };
      graph = exportGraph "${baseName}-graph.json" ([ conf ] ++ (if hasCommands then [ layer ] else [ ]));
      image = "${conf} --graph ${graph} ${optionalText hasCommands "--customisation-layer ${layer}"}";
      more = "--format ${quote format} ${optionalText debug "--debug"}";
    in
    results {
      inherit name imageTag conf passthru meta;
      build = file: ''
        phyllo build ${image} ${more} --tag ${quote imageTag} --jobs "$cores" --no-cache --to "docker-archive:${file}"
      '';
      write = ''build ${image} ${more} --name "$name" --tag "$tag" --to -'';
    };

  # An image with the ID that it has with nixpkgs: its functions divide it and make its uppermost layer, and phyllo is their streamer.
  describeInNixpkgs = { name, passthru ? { }, meta ? { }, ... }@arguments:
    let
      described = (if dockerTools == null then throw "phyllo: format = \"nixpkgs\" needs the functions of nixpkgs" else dockerTools)
        .streamLayeredImage arguments;
      inherit (described) imageTag;
      conf = described.conf or (throw "phyllo: format = \"nixpkgs\" needs a nixpkgs whose streamLayeredImage has conf");
    in
    results {
      inherit name imageTag conf passthru meta;
      build = file: ''
        phyllo dockertools ${conf} --jobs "$cores" > "${file}"
      '';
      write = ''dockertools ${conf} --repo_tag "$name:$tag"'';
    };

  # The forms of an image, and their attributes. `build` is the command that makes the archive as a file; `write` is what phyllo does to
  # write it to the standard output, as $name and $tag.
  results = { name, imageTag, conf, passthru, meta, build, write }:
    let
      baseName = derivationName name;
      imageName = toLower name;

      archive = run "${baseName}.tar" (build "$out") { };
      compressed = { extension, command }:
        run "${baseName}.tar.${extension}" (build "image.tar" + ''${command} < image.tar > "$out"'') { };

      # `isExe` tells those who load images that this one is a program, as in nixpkgs.
      stream = finish (writeFile "stream-${baseName}" {
        executable = true;
        text = streamScript { inherit imageName imageTag; write = "exec ${phyllo}/bin/phyllo ${write}\n"; };
      }) // { isExe = true; };

      attributes = { inherit imageName imageTag conf stream; } // passthru;
      finish = image: image // attributes // { inherit meta; passthru = attributes; };
    in
    { inherit stream archive compressed finish; };

  # IMAGE.json. What Nix alone needs to know is not in it, and a default that is said makes no other image than one that is not.
  descriptionOf = arguments:
    let
      # Where a stream is run must not decide anything: neither its processor nor its $SOURCE_DATE_EPOCH. Layers are divided as in
      # dockerTools unless another layering is asked for.
      fixed = (if arguments ? architecture then { } else platform) // { created = "1970-01-01T00:00:01Z"; layering = "popularity"; };
      given = fixed // removeAttrs arguments [ "passthru" "meta" "debug" "format" ] // { contents = toList (arguments.contents or [ ]); };
      isDefault = name: given ? ${name} && given.${name} == defaults.${name};
      hasPipeline = (given.layeringPipeline or null) != null;
    in
    removeAttrs given (filter isDefault (attrNames defaults) ++ (if hasPipeline then [ "maxLayers" ] else [ ]));

  # dockerTools' and phyllo's.
  defaults = {
    tag = null;
    fromImage = null;
    contents = [ ];
    config = { };
    variant = null;
    mtime = "1970-01-01T00:00:01Z";
    uid = 0;
    gid = 0;
    uname = "root";
    gname = "root";
    maxLayers = 100;
    extraCommands = "";
    fakeRootCommands = "";
    enableFakechroot = false;
    includeStorePaths = true;
    includeNixDB = false;
    layeringPipeline = null;
  };

  streamScript = { imageName, imageTag, write }: ''
    #!${bash}/bin/bash
    # Writes the image as an archive to the standard output: $0 | docker load
    set -euo pipefail

    usage() {
      echo "usage: ''${0##*/} [-t NAME:TAG | --repo_tag NAME:TAG]" >&2
      exit "$1"
    }

    repo_tag=${quote "${imageName}:${imageTag}"}
    while (( $# > 0 )); do
      case $1 in
        -t | --repo_tag)
          (( $# > 1 )) || usage 2
          repo_tag=''${2:-$repo_tag}
          shift
          ;;
        --repo_tag=?*) repo_tag=''${1#*=} ;;
        --repo_tag=) ;;
        -h | --help) usage 0 ;;
        *) usage 2 ;;
      esac
      shift
    done
    # A colon may also stand before a registry's port.
    tag=''${repo_tag##*:}
    case $tag in
      */* | "$repo_tag")
        name=$repo_tag
        tag=${quote imageTag}
        ;;
      *) name=''${repo_tag%:*} ;;
    esac

    ${write}'';

  compressors = {
    gz = {
      extension = "gz";
      command = if pigz != null then ''${pigz}/bin/pigz -p "$cores" -nTR'' else inNode "createGzip()";
    };
    zstd = {
      extension = "zst";
      command = if zstd != null then ''${zstd}/bin/zstd -T"$cores"'' else inNode "createZstdCompress()";
    };
  };

  inNode = stream: ''
    ${if nodejs == null then throw "phyllo: compressing an archive needs pigz, zstd or nodejs" else nodejs}/bin/node -e '
      const { stdin, stdout } = process;
      require("node:stream").pipeline(stdin, require("node:zlib").${stream}, stdout, (error) => { if (error) throw error; });
    ' '';

  # --- Derivations ------------------------------------------------------------------------------------------------------------------

  # `exit` keeps the shell to the end: in place of it the last program would run, and Nix kills a builder that closes its output before it
  # ends.
  run = name: script: attributes: derivation ({
    inherit name system;
    builder = "${bash}/bin/bash";
    args = [ "-euo" "pipefail" "-c" "${countCores}\n${script}\nexit" ];
    PATH = searchPath [ phyllo ];
  } // attributes);

  # 0 means all.
  countCores = ''cores=''${NIX_BUILD_CORES:-1}; if (( cores == 0 )); then cores=$(nproc); fi'';

  writeFile = name: { text, executable ? false }:
    run name ''cp "$textPath" "$out"; ${optionalText executable ''chmod +x "$out"''}'' (quick // {
      inherit text;
      passAsFile = [ "text" ];
      PATH = searchPath [ ];
    });

  # The path info of a closure, as phyllo reads it: structured attributes, those of this very derivation.
  exportGraph = name: roots: run name ''
    PATH=${searchPath [ ]}
    source ./.attrs.sh
    cp .attrs.json "''${outputs[out]}"
  ''
    (quick // {
      __structuredAttrs = true;
      exportReferencesGraph.closure = roots;
    });

  # Not worth asking a cache for.
  quick = { preferLocalBuild = true; allowSubstitutes = false; };

  searchPath = more: concatStringsSep ":" (map (package: "${package}/bin") ([ coreutils bash ] ++ more));

  # As of nixpkgs' results: `override` makes the image again with other arguments.
  overridable = make: arguments: make arguments // {
    override = changes: overridable make (arguments // (if isFunction changes then changes arguments else changes));
  };

  # --- Text -------------------------------------------------------------------------------------------------------------------------

  # What Nix allows of an image's name without its registry.
  derivationName = name: concatStringsSep "-" (filter isString (split "[^a-zA-Z0-9+._?=-]+" (baseNameOf name)));

  quote = text: "'${replaceStrings [ "'" ] [ "'\\''" ] (toString text)}'";
  optionalText = condition: text: if condition then text else "";
  toList = value: if isList value then value else [ value ];

  toLower = replaceStrings (letters "ABCDEFGHIJKLMNOPQRSTUVWXYZ") (letters "abcdefghijklmnopqrstuvwxyz");
  letters = text: genList (index: substring index 1 text) (stringLength text);
in
{ inherit streamLayeredImage buildLayeredImage buildLayeredImageWithNixDb mergeImages exportImage pullImage; }
