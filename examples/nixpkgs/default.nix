# Images of programs from nixpkgs: `nix-build -A hello && docker load < result`, `$(nix-build -A web) | docker load`.
{ pkgs ? import <nixpkgs> { }, dockerTools ? import ../../nix { inherit pkgs; } }:
rec {
  # An archive. The program is in the image because the configuration mentions it.
  hello = dockerTools.buildLayeredImage {
    name = "hello";
    config.Cmd = [ "${pkgs.hello}/bin/hello" ];
  };

  # A script that writes the archive.
  web = dockerTools.streamLayeredImage {
    name = "web";
    tag = "1.0";
    contents = [ pkgs.darkhttpd ];
    # A user of its own, and a directory that belongs to it.
    fakeRootCommands = ''
      mkdir -p etc var/www
      echo 'web:x:1000:1000::/var/www:/bin/false' > etc/passwd
      echo '<h1>Many thin layers</h1>' > var/www/index.html
      chown -R 1000:1000 var/www
    '';
    config = {
      Cmd = [ "darkhttpd" "/var/www" "--port" "8080" ];
      Env = [ "PATH=/bin" ];
      User = "web";
      ExposedPorts."8080/tcp" = { };
    };
  };

  # Two images in one archive, which has what they share once; one is built on the other.
  both = dockerTools.mergeImages [ hello shell ];
  shell = dockerTools.buildLayeredImage {
    name = "shell";
    fromImage = hello;
    contents = [ pkgs.bash pkgs.coreutils ];
    config.Cmd = [ "bash" ];
    config.Env = [ "PATH=/bin" ];
  };
}
