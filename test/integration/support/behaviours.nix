# What dockertools-behaviour.test.ts builds.
{ package, node }:
let
  closure = import ./closure.nix;
  inherit (import ./store-path-functions.nix { inherit package node; }) build phyllo functions;

  # Not compressed, so that tests need not wait for it.
  image = name: arguments: functions.buildLayeredImage ({ inherit name; tag = "1"; compressor = "none"; } // arguments);

  # Prints the greeting.
  greeter = name: arguments: image name ({ contents = closure.hello; config.Cmd = [ "/bin/hello" ]; } // arguments);

  # Has a shell, which prints what a script says.
  scripted = name: script: { contents ? [ ], ... }@arguments: image name (removeAttrs arguments [ "contents" ] // {
    contents = [ closure.shell ] ++ contents;
    config = { Cmd = [ "/bin/bash" "-c" script ]; Env = [ "PATH=/bin" ]; } // arguments.config or { };
  });

  other = build "other" "mkdir $out && echo other > $out/other" { };
  upper = build "upper" "mkdir $out && echo upper > $out/other" { };
  cacert = build "cacert" "mkdir -p $out/etc/ssl/certs && echo certificates > $out/etc/ssl/certs/ca-bundle.crt" { };
in
rec {
  inherit (closure) hello top alias oddities program manual;
  inherit other upper cacert;

  # Nobody in particular: the store is root's.
  otherUser = scripted "other-user" "echo $UID; [ ! -O /nix/store ] && [ ! -w /nix/store ] && [ -x ${closure.top}/bin ] && echo ok" {
    contents = [ closure.top ];
    config.User = "1000:1000";
  };

  # Links in store paths, and a store path that is one.
  links = image "links" { contents = closure.top; config.Cmd = [ "${closure.alias}/bin/hello-program" ]; };
  linksStream = links.stream;

  # Every layer of `again` is there twice.
  once = greeter "once" { };
  again = greeter "again" { fromImage = once; };
  onAgain = greeter "on-again" { fromImage = again; contents = [ closure.hello other ]; };
  # The file that `other` links is another one here.
  onOther = scripted "on-other" "read line < /other; echo $line" {
    fromImage = onAgain;
    contents = [ upper ];
  };

  # On the same image in other forms.
  onLayout = greeter "on-layout" {
    fromImage = build "layout" "$phyllo/bin/phyllo copy --quiet ${once} oci:$out:x" { inherit phyllo; };
    contents = other;
  };
  onArchive = greeter "on-archive" {
    fromImage = "oci-archive:${build "image.oci" "$phyllo/bin/phyllo copy --quiet ${once} oci-archive:$out:x" { inherit phyllo; }}";
    contents = other;
  };

  # As many layers as are allowed, two of them the base's: one for all store paths, or some for popular ones.
  base = greeter "base" { maxLayers = 2; contents = [ closure.hello other ]; };
  allInOne = greeter "all-in-one" { fromImage = base; contents = closure.top; maxLayers = 4; };
  exactly = greeter "exactly" { fromImage = base; contents = closure.top; maxLayers = 6; };

  # With the image as /, commands write beside what contents have.
  fakechroot = scripted "fakechroot" "made" {
    contents = [ closure.hello ];
    enableFakechroot = true;
    fakeRootCommands = ''
      printf '#!/bin/bash\necho made in /bin\n' > /bin/made
      chmod 0755 /bin/made
      mkdir -p /home/user
      chown 1000:100 /home/user
      echo ${other} > /home/user/mention
    '';
  };

  certificates = scripted "certificates" ''
    for file in /etc/ssl/certs/ca-bundle.crt /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt; do
      read line < $file
      echo $line
    done
  '' { include = [ "ca-certificates=${cacert}" ]; };

  pipeline = greeter "pipeline" {
    layeringPipeline = build "pipeline.json" "echo '[[\"popularity_contest\"],[\"limit_layers\",2]]' > $out" { };
  };

  noStorePaths = image "no-store-paths" { extraCommands = "echo text > file"; };
  withoutStore = greeter "without-store" { includeStorePaths = false; };

  conflicting = greeter "conflicting" { contents = [ closure.hello upper other ]; };
  failing = greeter "failing" { extraCommands = "echo the reason >&2; exit 3"; };

  foreign = greeter "foreign" { architecture = "arm64"; };
}
