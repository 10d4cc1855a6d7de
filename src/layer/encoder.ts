/**
 * Compression of layers in independent blocks, so that all processors work on one layer. The bytes depend on the input and the
 * *encoder id* alone: not on workers, nor on how chunks arrive.
 *
 * - gzip: one member for each block. @see RFC 1952, section 2.2: members follow each other
 * - zstd: one frame for each block. @see RFC 8878, "Frames": decoders take frames that follow each other
 *
 * An encoder's output is never changed silently: another library, another level or block size has another id. WebAssembly gives the
 * same bytes on every processor; of the zstd in Node.js that is not known, so its id has the architecture, and since builds differ within
 * one, the digest of a sample's compression.
 */
import { createHash } from 'node:crypto';
import { constants, zstdCompressSync } from 'node:zlib';
import { GZIP_LIBRARY, GzipCompressor } from './gzip-compressor.ts';
import { PhylloError } from '../errors.ts';

export type Compression =
  | { readonly kind: 'none' }
  | { readonly kind: 'gzip'; readonly level: number }
  | { readonly kind: 'zstd'; readonly level: number };

export type CompressingKind = Exclude<Compression['kind'], 'none'>;

export interface Encoder {
  readonly kind: CompressingKind;
  readonly level: number;
  /** Names everything that the bytes depend on besides the input. */
  readonly id: string;
  /** Bytes of input in a block; the last one may be shorter. */
  readonly blockSize: number;
  /** Bytes that a compressed block has at most. */
  readonly outputSize: number;
}

/** Levels that the encoder takes, and its default. @see libdeflate.h; zstd(1) */
export const LEVELS = {
  gzip: { min: 1, max: 12, default: 6 },
  zstd: { min: 1, max: 19, default: 3 },
} as const;

const MIB = 1024 * 1024;
const SHAPES = {
  // Measured on 96 MiB of programs: 0.1 % larger than in blocks of 4 MiB.
  gzip: { version: 2, blockSize: MIB, library: GZIP_LIBRARY },
  // Measured likewise: frames of 4 MiB are 0.2 % larger than frames of 8 MiB, frames of 1 MiB 1.5 %.
  zstd: { version: 3, blockSize: 4 * MIB, library: process.versions.zstd },
} as const;

/**
 * `none`, `gzip`, `zstd`, `gzip:9`.
 * @throws PhylloError USAGE_INVALID
 */
export function parseCompression(text: string): Compression {
  const [, kind = '', level] = /^([a-z]+)(?::(\d{1,3}))?$/.exec(text) ?? [];
  if (kind === 'none' && level === undefined) return { kind: 'none' };
  if (kind === 'gzip' || kind === 'zstd') {
    const { min, max, default: usual } = LEVELS[kind];
    const wanted = level === undefined ? usual : Number(level);
    if (wanted >= min && wanted <= max) return { kind, level: wanted };
  }
  throw new PhylloError('USAGE_INVALID', `not a compression: ${JSON.stringify(text)}`, {
    hint: 'none, gzip[:1 to 12] or zstd[:1 to 19]',
  });
}

export function encoderFor({
  kind,
  level,
}: {
  readonly kind: CompressingKind;
  readonly level: number;
}): Encoder {
  const { version, blockSize, library = 'unknown' } = SHAPES[kind];
  const settings = { kind, level, blockSize, outputSize: outputBound(blockSize) };
  const name = `phyllo-${kind}-${version}/${library}/level-${level}/block-${blockSize}`;
  if (kind === 'gzip') return { ...settings, id: name };
  const probe = probes.get(name) ?? probeOf(settings);
  probes.set(name, probe);
  return { ...settings, id: `${name}/${process.arch}-${probe}` };
}

type EncoderSettings = Omit<Encoder, 'id'>;

const probes = new Map<string, string>();
const PROBE_SIZE = 32 * 1024;

/** A few digits of the digest of a sample as this machine compresses it. */
function probeOf(settings: EncoderSettings): string {
  return createHash('sha256').update(compressBlock(settings, probeSample())).digest('hex').slice(0, 8);
}

/**
 * Stretches of an alphabet of four among stretches of all bytes, in no order: more candidates for a match than encoders look at, and
 * others that share their hash.
 */
function probeSample(): Buffer {
  const sample = Buffer.alloc(PROBE_SIZE);
  let state = 1;
  for (let at = 0; at < sample.length; at += 1) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    sample[at] = (state >>> 16) & ((at >> 8) % 2 === 0 ? 3 : 255);
  }
  return sample;
}

/** More than either format adds to what cannot be compressed. @see libdeflate.h, libdeflate_gzip_compress_bound; zstd.h, ZSTD_COMPRESSBOUND */
function outputBound(size: number): number {
  return size + Math.ceil(size / 256) + 1024;
}

/** @param bytes at most a block */
export function compressBlock(encoder: EncoderSettings, bytes: Uint8Array): Buffer {
  return encoder.kind === 'gzip' ? gzipCompressor(encoder).compress(bytes) : compressZstd(encoder, bytes);
}

/** This thread's. A build has one level, or a few. */
const compressors = new Map<number, GzipCompressor>();

function gzipCompressor({ level, blockSize, outputSize }: EncoderSettings): GzipCompressor {
  const compressor =
    compressors.get(level) ?? new GzipCompressor({ level, inputSize: blockSize, outputSize });
  compressors.set(level, compressor);
  return compressor;
}

function compressZstd({ level }: EncoderSettings, bytes: Uint8Array): Buffer {
  const { ZSTD_c_compressionLevel, ZSTD_c_hashLog, ZSTD_c_chainLog } = constants;
  // Measured (bench/encoders.ts): tables of half the size stay in the processor's cache, and the default level takes 9 % less time, on a
  // busy machine 21 %, for 0.5 % more bytes, which are still fewer than those of zstd(1) at that level.
  const tables = level === LEVELS.zstd.default ? { [ZSTD_c_hashLog]: 16, [ZSTD_c_chainLog]: 16 } : {};
  // Room for the whole output: zstd then compresses in one pass, 9 % faster and 0.6 % smaller (measured), to other bytes.
  return zstdCompressSync(bytes, {
    chunkSize: outputBound(bytes.length),
    params: { [ZSTD_c_compressionLevel]: level, ...tables },
  });
}
