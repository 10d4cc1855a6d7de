/** What `--help` and the manual show as examples, by the command's name after `phyllo`. A test reads each line as the command does. */

export interface Example {
  /** What somebody wants who types this. */
  readonly purpose: string;
  readonly line: string;
}

export const EXAMPLES: Readonly<Record<string, readonly Example[]>> = {
  init: [
    example('begin with a store path', 'phyllo init /nix/store/…-hello-2.12'),
    example(
      'on a machine without Nix, from a binary cache',
      'phyllo init /nix/store/…-hello-2.12 --store https://cache.nixos.org',
    ),
  ],
  build: [
    example(
      'an archive for docker, podman, skopeo and containerd',
      'phyllo build image.json --to docker-archive:image.tar',
    ),
    example(
      'straight into docker or podman, only what they lack',
      'phyllo build image.json --to docker-daemon:app:1.0',
    ),
    example('as a stream, nothing stored', 'phyllo build image.json --to - | docker load'),
    example('into a registry', 'phyllo build image.json --to docker://ghcr.io/me/app:1.0'),
    example(
      'with its bill of materials attached',
      'phyllo build image.json --sbom cyclonedx --to docker://ghcr.io/me/app:1.0',
    ),
    example(
      'without a file, from a binary cache, on a machine without Nix',
      'phyllo build --name hello --contents /nix/store/…-hello-2.12 --store https://cache.nixos.org --to oci:hello',
    ),
    example(
      'so that clients of the image before pull little',
      'phyllo build image.json --previous docker://ghcr.io/me/app:1.0 --to docker://ghcr.io/me/app:1.1',
    ),
  ],
  plan: [
    example('the layers of an image, and why', 'phyllo plan image.json'),
    example('what fewer layers would mean', 'phyllo plan image.json --max-layers 20'),
    example('what an update would make clients pull', 'phyllo plan image.json --previous image.tar'),
  ],
  closure: [
    example('what belongs to a store path, the largest first', 'phyllo closure /nix/store/…-hello-2.12'),
    example('why one path is there', 'phyllo closure /nix/store/…-hello-2.12 --why /nix/store/…-glibc-2.40'),
  ],
  customise: [
    example(
      'run the commands of an image once, and build with what they made',
      'phyllo customise image.json --output top.tar',
    ),
    example(
      'afterwards',
      'phyllo build image.json --customisation-layer top.tar --to docker-archive:image.tar',
    ),
  ],
  diff: [
    example('what an update makes clients pull, and why', 'phyllo diff old.tar new.tar'),
    example(
      'fail in CI when it is too much',
      'phyllo diff docker://ghcr.io/me/app:1.0 new.tar --max-pull 50MB',
    ),
  ],
  report: [
    example('a page that shows what is in an image', 'phyllo report image.tar --output image.html'),
    example(
      'what changed since the image before, and what the update costs',
      'phyllo report new.tar --previous docker://ghcr.io/me/app:1.0 --output update.html',
    ),
    example('of an image that is only planned', 'phyllo report plan.json --output plan.html'),
  ],
  copy: [
    example(
      'from a registry into an archive',
      'phyllo copy docker://debian:12-slim docker-archive:debian.tar',
    ),
    example('the flat root file system', 'phyllo copy image.tar rootfs:root.tar'),
  ],
  merge: [
    example(
      'several images in one archive, shared layers once',
      'phyllo merge app.tar worker.tar --to docker-archive:both.tar',
    ),
  ],
  index: [
    example(
      'one name for images that were built on two machines',
      'phyllo index create docker://ghcr.io/me/app:1.0-amd64 docker://ghcr.io/me/app:1.0-arm64 --to docker://ghcr.io/me/app:1.0',
    ),
  ],
  'index create': [
    example(
      'of archives, with an annotation',
      'phyllo index create app-amd64.tar app-arm64.tar --to docker://ghcr.io/me/app:1.0 --annotation org.opencontainers.image.version=1.0',
    ),
  ],
  inspect: [
    example('names, configuration and layers', 'phyllo inspect image.tar'),
    example('an image in a registry, with store paths', 'phyllo inspect docker://ghcr.io/me/app:1.0 --paths'),
  ],
  sbom: [
    example(
      'what is in an image, for scanners, with hashes from the local store',
      'phyllo sbom image.tar --store auto --output image.cdx.json',
    ),
    example('of an image in a registry, as SPDX', 'phyllo sbom docker://ghcr.io/me/app:1.0 --format spdx'),
    example('of a store path and all that it refers to', 'phyllo sbom /nix/store/…-hello-2.12'),
  ],
  login: [
    example('asks for the password', 'phyllo login ghcr.io --username me'),
    example('in CI', 'echo "$TOKEN" | phyllo login ghcr.io --username me --password-stdin'),
  ],
  logout: [example('forget the password', 'phyllo logout ghcr.io')],
  cache: [
    example('how much is known', 'phyllo cache'),
    example('forget what was not used for a month', 'phyllo cache prune --days 30'),
  ],
  'cache stat': [example('for programs', 'phyllo cache stat --json')],
  'cache prune': [example('forget everything', 'phyllo cache prune --days 0')],
  'cache path': [example('where it is', 'phyllo cache path')],
  dockertools: [
    example(
      "nixpkgs' archive, from the configuration that nixpkgs made",
      'phyllo dockertools $(nix-build -A image.conf) | docker load',
    ),
  ],
  completion: [
    example('bash', 'phyllo completion bash > ~/.local/share/bash-completion/completions/phyllo'),
    example('zsh, into a directory of $fpath', 'phyllo completion zsh > ~/.zfunc/_phyllo'),
    example('fish', 'phyllo completion fish > ~/.config/fish/completions/phyllo.fish'),
  ],
};

function example(purpose: string, line: string): Example {
  return { purpose, line };
}
