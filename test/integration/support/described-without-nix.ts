/** Images of images.nix, described without Nix. */
import type { Built } from './nix-images.ts';

/** The flags that say what IMAGE.json would. */
export function flagsOf(description: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(description).flatMap(([field, value]) => {
    const flag = `--${field.replaceAll(/[A-Z]+/g, (letters) => `-${letters.toLowerCase()}`)}`;
    if (value === true) return [flag];
    if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return [flag, ...value];
    return [flag, typeof value === 'string' ? value : JSON.stringify(value)];
  });
}

/** `everything` of images.nix, as it is written without Nix. */
export function describeEverything(paths: Built['paths']): Readonly<Record<string, unknown>> {
  return {
    name: 'everything',
    tag: '1',
    fromImage: paths.gzipped,
    contents: [paths.hello, paths.upper],
    copyToRoot: [paths.other],
    include: ['tmp', 'nss', `bin-sh=${paths.bash}`, `usr-bin-env=${paths.program}/bin/hello-program`],
    includeNixDB: true,
    extraCommands: "mkdir -p var/lib/everything; echo 'quoted' > var/quoted",
    fakeRootCommands: 'chown 1000:100 var/lib/everything',
    labels: { maintainer: 'nobody' },
    annotations: { 'example.kind': 'everything' },
    about: { version: '1.0', licenses: 'MIT' },
    perms: [
      { path: paths.hello, regex: 'libexec/.*', mode: '0700' },
      { regex: '/other$', uid: 1000, capabilities: 'cap_net_bind_service=ep' },
    ],
    uid: 5,
    gid: 6,
    uname: 'five',
    gname: 'six',
    created: '2001-02-03T04:05:06Z',
    mtime: '2002-02-03T04:05:06Z',
    architecture: 'arm',
    variant: 'v7',
    layering: 'popularity',
    layers: [[paths.program]],
    minLayerSize: 100,
    maxLayers: 15,
    inherit: ['Cmd'],
    config: { Env: ['PATH=/bin', `MANUAL=${paths.manual}`], ExposedPorts: { '80/tcp': {} } },
  };
}
