# A derivation out of the machine's own programs, for a Nix without nixpkgs and `sandbox = false`, or with these programs in the sandbox.
#
# `exit` keeps the shell there to the end: in place of it the last program would run, and Nix kills a builder that closes its output
# before it ends, as coreutils do.
name: script: attributes: derivation ({
  inherit name;
  system = builtins.currentSystem;
  builder = "/bin/sh";
  args = [ "-euc" "${script}\nexit" ];
  PATH = "/usr/bin:/bin";
} // attributes)
