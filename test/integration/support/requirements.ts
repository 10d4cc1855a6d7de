/**
 * What an integration test needs from the machine. Where a part is missing the tests are skipped with one line that says which part and
 * how to get it; with PHYLLO_REQUIRE_INTEGRATION=1 they fail instead.
 */
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, it } from 'node:test';

/** The Debian package of each program that tests start. */
const PACKAGES = {
  'apt-get': 'apt',
  bash: 'bash',
  chromium: 'chromium',
  'clang-14': 'clang-14',
  containerd: 'containerd',
  ctr: 'containerd',
  docker: 'docker.io',
  dockerd: 'docker.io',
  'docker-registry': 'docker-registry',
  'dpkg-deb': 'dpkg',
  fakeroot: 'fakeroot',
  proot: 'proot',
  fish: 'fish',
  gcc: 'gcc',
  mandoc: 'mandoc',
  nix: 'nix-bin',
  'nix-build': 'nix-bin',
  openssl: 'openssl',
  podman: 'podman',
  runc: 'runc',
  script: 'bsdutils',
  setpriv: 'util-linux',
  skopeo: 'skopeo',
  strace: 'strace',
  umoci: 'umoci',
  unshare: 'util-linux',
  'wasm-ld-14': 'lld-14',
  zsh: 'zsh',
} as const;

type Program = keyof typeof PACKAGES;

const PARTS = {
  nix: { programs: ['nix', 'nix-build', 'gcc', 'unshare'], root: true },
  docker: { programs: ['docker', 'dockerd', 'setpriv'], root: true },
  containerd: { programs: ['containerd', 'ctr', 'runc', 'setpriv'], root: true },
  podman: { programs: ['podman'], root: true },
  registry: { programs: ['docker-registry', 'setpriv'], root: false },
  skopeo: { programs: ['skopeo'], root: false },
  strace: { programs: ['strace'], root: false },
  umoci: { programs: ['umoci'], root: true },
  mounts: { programs: ['unshare'], root: true },
  fakeroot: { programs: ['fakeroot'], root: false },
  proot: { programs: ['proot'], root: false },
  openssl: { programs: ['openssl'], root: false },
  bash: { programs: ['bash', 'script'], root: false },
  zsh: { programs: ['zsh', 'script'], root: false },
  fish: { programs: ['fish'], root: false },
  mandoc: { programs: ['mandoc'], root: false },
  otherUser: { programs: ['setpriv'], root: true },
  chromium: { programs: ['chromium'], root: false },
  clang: { programs: ['clang-14', 'wasm-ld-14'], root: false },
  debianPackages: { programs: ['apt-get', 'dpkg-deb'], root: true },
} as const satisfies Record<string, { readonly programs: readonly Program[]; readonly root: boolean }>;

export type Part = keyof typeof PARTS;

/** `describe` for tests that need these parts. */
export function describeWith(parts: readonly Part[], name: string, body: () => void): void {
  const problem = parts.map(missingFor).find((reason) => reason !== undefined);
  if (problem === undefined) {
    describe(name, body);
  } else if (process.env['PHYLLO_REQUIRE_INTEGRATION'] === '1') {
    describe(name, () => {
      it('has what it needs', () => {
        throw new Error(problem);
      });
    });
  } else {
    describe(name, { skip: problem }, () => {});
  }
}

/** The first program of this name on the PATH, or undefined. Debian keeps some in sbin, which a user's PATH may lack. */
export function findProgram(name: string): string | undefined {
  const directories = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return directories.map((directory) => join(directory, name)).find(isExecutable);
}

function missingFor(part: Part): string | undefined {
  const { programs, root } = PARTS[part];
  if (process.platform !== 'linux') return `${part} needs Linux`;
  if (root && process.getuid?.() !== 0) return `${part} needs root here: run the tests as root`;
  const missing = programs.filter((program) => findProgram(program) === undefined);
  if (missing.length === 0) return undefined;
  const packages = [...new Set(missing.map((program) => PACKAGES[program]))];
  return `${part} needs ${missing.join(' and ')}: apt-get install ${packages.join(' ')}`;
}

function isExecutable(path: string): boolean {
  if (!existsSync(path)) return false;
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
