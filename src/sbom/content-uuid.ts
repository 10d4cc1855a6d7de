/** An identifier that follows from what it identifies. */
import { createHash } from 'node:crypto';

/** @see RFC 9562, "Namespace ID Usage and Allocation", URL */
const NAMESPACE = Buffer.from('6ba7b8119dad11d180b400c04fd430c8', 'hex');

/** A UUID of version 5. @see RFC 9562, "UUID Version 5" */
export function contentUuid(content: string): string {
  const bytes = createHash('sha1').update(NAMESPACE).update(content).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
