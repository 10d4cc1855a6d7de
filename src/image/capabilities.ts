/**
 * File capabilities as the value of `security.capability`. Pure.
 *
 * Revision 2, 20 bytes, numbers little endian: revision and the effective flag, then permitted and inheritable for
 * capabilities 0 to 31, then both for 32 to 63.
 *
 * @see capabilities(7), "File capability extended attribute versioning"; linux/capability.h, struct vfs_cap_data
 */
const NAMES = [
  'chown',
  'dac_override',
  'dac_read_search',
  'fowner',
  'fsetid',
  'kill',
  'setgid',
  'setuid',
  'setpcap',
  'linux_immutable',
  'net_bind_service',
  'net_broadcast',
  'net_admin',
  'net_raw',
  'ipc_lock',
  'ipc_owner',
  'sys_module',
  'sys_rawio',
  'sys_chroot',
  'sys_ptrace',
  'sys_pacct',
  'sys_admin',
  'sys_boot',
  'sys_nice',
  'sys_resource',
  'sys_time',
  'sys_tty_config',
  'mknod',
  'lease',
  'audit_write',
  'audit_control',
  'setfcap',
  'mac_override',
  'mac_admin',
  'syslog',
  'wake_alarm',
  'block_suspend',
  'audit_read',
  'perfmon',
  'bpf',
  'checkpoint_restore',
];

const REVISION_2 = 0x02000000;
const EFFECTIVE = 1;
const CLAUSE = /^(cap_[a-z_]+(?:,cap_[a-z_]+)*)[=+]([eip]+)$/;

/**
 * @param text as setcap takes it, one clause: `cap_net_bind_service,cap_net_raw=ep`
 * @returns undefined when it is none
 */
export function encodeCapabilities(text: string): Buffer | undefined {
  const [, names, flags] = CLAUSE.exec(text) ?? [];
  if (names === undefined || flags === undefined) return undefined;
  const numbers = names.split(',').map((name) => NAMES.indexOf(name.slice('cap_'.length)));
  if (numbers.includes(-1)) return undefined;
  const bits = numbers.reduce((set, number) => set | (1n << BigInt(number)), 0n);
  const permitted = flags.includes('p') ? bits : 0n;
  const inheritable = flags.includes('i') ? bits : 0n;
  const value = Buffer.alloc(20);
  value.writeUInt32LE(REVISION_2 + (flags.includes('e') ? EFFECTIVE : 0), 0);
  value.writeUInt32LE(Number(permitted & 0xffffffffn), 4);
  value.writeUInt32LE(Number(inheritable & 0xffffffffn), 8);
  value.writeUInt32LE(Number(permitted >> 32n), 12);
  value.writeUInt32LE(Number(inheritable >> 32n), 16);
  return value;
}
