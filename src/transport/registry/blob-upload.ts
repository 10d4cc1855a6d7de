/**
 * A blob on its way into a repository while it is made. Nothing but the last chunk, or a small blob, is in memory.
 *
 * - Up to `HELD_BYTES` it is held until it is whole: then its digest is known, the registry is asked whether it has it, and it can
 *   be sent again from memory.
 * - A larger one is sent as it is made: with one PUT where its digest is known, else with one PATCH and a PUT that names the digest.
 * - When that is interrupted, the rest of the blob is made for its digest alone. Then the registry says how much has arrived, and
 *   the blob is made once more: the same bytes, of which those that have arrived are skipped.
 */
import type { Digest } from '../../digest.ts';
import type { HttpResponse } from '../../http/http-response.ts';
import { resolveLocation } from '../../http/redirect.ts';
import type { Descriptor } from '../../image/blob.ts';
import { headBlob } from './blobs.ts';
import { ChunkChannel } from './chunk-channel.ts';
import { attempt, type Outcome } from './interruption.ts';
import { isStored, MAX_ATTEMPTS, pushBytes } from './push-bytes.ts';
import type { RegistryClient } from './registry-client.ts';
import {
  cancelUpload,
  patchUpload,
  putUpload,
  sessionAfter,
  startUpload,
  type UploadSession,
  uploadStatus,
} from './upload-session.ts';

/** Most layers of an image are smaller; a few of them at a time are little memory. */
export const HELD_BYTES = 4 * 1024 * 1024;

type BlobSize = Pick<Descriptor, 'digest' | 'size'>;

export interface BlobUploadOptions {
  readonly repository: string;
  /** Undefined: it becomes known when the blob is made. */
  readonly known: BlobSize | undefined;
  /** An upload that has begun already. */
  readonly session: UploadSession | undefined;
  readonly signal: AbortSignal;
  /** Told of bytes that are on their way. */
  readonly onSent: (bytes: number) => void;
}

/** `again`: it must be made once more, and written from its beginning. `present`: the registry had it. */
export type UploadEnd = 'sent' | 'present' | 'again';

interface Sending {
  readonly channel: ChunkChannel;
  /** An answer, or an error that passes. */
  readonly outcome: Promise<Outcome>;
  /** Whether it ends the upload. */
  readonly isWhole: boolean;
}

export class BlobUpload {
  readonly #client: RegistryClient;
  readonly #options: BlobUploadOptions;
  readonly #wasKnown: boolean;
  #known: BlobSize | undefined;
  #session: UploadSession | undefined;
  /** Bytes that were written in this attempt. */
  #written = 0;
  /** Undefined once there are too many. */
  #held: Uint8Array[] | undefined = [];
  #sending: Sending | undefined;
  #attempts = 1;

  constructor(client: RegistryClient, options: BlobUploadOptions) {
    this.#client = client;
    this.#options = options;
    this.#wasKnown = options.known !== undefined;
    this.#known = options.known;
    this.#session = options.session;
  }

  /**
   * Resolves when the next bytes are wanted. The bytes must not be overwritten.
   * @throws PhylloError when an upload cannot begin; the signal's reason
   */
  async write(bytes: Uint8Array): Promise<void> {
    this.#options.signal.throwIfAborted();
    const arrived = (this.#session?.offset ?? 0) - this.#written;
    this.#written += bytes.length;
    if (arrived >= bytes.length) return;
    const rest = arrived <= 0 ? bytes : bytes.subarray(arrived);
    if (this.#held === undefined) await this.#sendOn(rest);
    else await this.#hold(this.#held, rest);
  }

  /**
   * All bytes are written. After `again` they are written and it is finished once more.
   * @throws PhylloError NETWORK_FAILED, REGISTRY_FAILED, REGISTRY_UNAUTHORIZED; the signal's reason
   */
  async finish(blob: BlobSize): Promise<UploadEnd> {
    this.#known = blob;
    if (this.#held !== undefined) return await this.#pushHeld(this.#held, blob);
    const { channel, outcome, isWhole } = await this.#startSending();
    channel.end();
    return await this.#settle(await outcome, { blob, isWhole });
  }

  /** Tells the registry that nothing follows, if anything has begun. Never throws. */
  async cancel(): Promise<void> {
    this.#sending?.channel.close();
    const session = this.#session;
    this.#session = undefined;
    const { repository } = this.#options;
    if (session !== undefined) await cancelUpload(this.#client, { repository, session });
  }

  async #hold(held: Uint8Array[], bytes: Uint8Array): Promise<void> {
    held.push(bytes);
    if (this.#written <= HELD_BYTES) return;
    this.#held = undefined;
    for (const chunk of held) await this.#sendOn(chunk);
  }

  async #pushHeld(chunks: readonly Uint8Array[], { digest, size }: BlobSize): Promise<UploadEnd> {
    const request = { ...this.#options, digest, bytes: Buffer.concat(chunks), session: this.#session };
    const isSent = await pushBytes(this.#client, { ...request, isMissing: this.#wasKnown });
    this.#session = undefined;
    if (isSent) this.#options.onSent(size);
    return isSent ? 'sent' : 'present';
  }

  async #sendOn(bytes: Uint8Array): Promise<void> {
    const { channel } = await this.#startSending();
    await channel.write(bytes);
  }

  async #startSending(): Promise<Sending> {
    if (this.#sending !== undefined) return this.#sending;
    const session = (this.#session ??= await startUpload(this.#client, this.#options));
    const channel = new ChunkChannel();
    const send = (): Promise<HttpResponse> => this.#send(channel, session);
    const outcome = attempt(send).finally(() => channel.close());
    // Whoever finishes hears of it; until then it must not count as unhandled.
    outcome.catch(() => undefined);
    return (this.#sending = { channel, outcome, isWhole: this.#known !== undefined });
  }

  async #send(channel: ChunkChannel, session: UploadSession): Promise<HttpResponse> {
    const { repository, signal } = this.#options;
    const step = { repository, session, signal, body: () => this.#counted(channel) };
    if (this.#known === undefined) return await patchUpload(this.#client, step);
    const { digest, size } = this.#known;
    return await putUpload(this.#client, { ...step, digest, size: size - session.offset });
  }

  async *#counted(channel: ChunkChannel): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of channel) {
      this.#options.onSent(chunk.length);
      yield chunk;
    }
  }

  async #settle(
    first: Outcome,
    { blob, isWhole }: { readonly blob: BlobSize; readonly isWhole: boolean },
  ): Promise<UploadEnd> {
    const { digest, size } = blob;
    const what = `cannot push ${digest} to ${this.#client.host}/${this.#options.repository}`;
    let outcome = first;
    if (!isWhole && isAccepted(outcome)) {
      this.#session = await sessionAfter(outcome, { what, offset: size });
      outcome = await this.#end(digest);
    }
    while (!(await isStored(outcome, { digest, what, isLast: this.#attempts === MAX_ATTEMPTS }))) {
      if (await this.#isThereAfter(outcome, { digest, what })) break;
      if (this.#session?.offset !== size) return 'again';
      outcome = await this.#end(digest);
    }
    this.#session = undefined;
    return 'sent';
  }

  async #end(digest: Digest): Promise<Outcome> {
    const step = { ...this.#options, session: this.#session as UploadSession, digest };
    return await attempt(() => putUpload(this.#client, step));
  }

  /** Waits, and finds out what has arrived: perhaps everything but the answer. */
  async #isThereAfter(
    outcome: Outcome,
    { digest, what }: { readonly digest: Digest; readonly what: string },
  ): Promise<boolean> {
    const { repository, signal } = this.#options;
    await this.#client.waitBeforeRetry(outcome, { attempt: this.#attempts, what, signal });
    this.#attempts += 1;
    if (await headBlob(this.#client, { repository, digest, signal, forPush: true })) return true;
    this.#session = await this.#sessionAfter(outcome);
    this.#sending = undefined;
    this.#written = 0;
    return false;
  }

  /** Where the upload goes on; a new one where nothing is known of it any more. */
  async #sessionAfter(outcome: Outcome): Promise<UploadSession> {
    const { repository, signal } = this.#options;
    const session = this.#session as UploadSession;
    const elsewhere = redirection(outcome);
    if (elsewhere !== undefined) return { location: elsewhere, offset: session.offset };
    const status = await uploadStatus(this.#client, { repository, session, signal });
    // `0-0` may be nothing or one byte.
    const isSure = status !== undefined && status.offset > 0 && status.offset <= (this.#known?.size ?? 0);
    if (isSure) return status;
    await cancelUpload(this.#client, { repository, session, signal });
    return await startUpload(this.#client, this.#options);
  }
}

function isAccepted(outcome: Outcome): outcome is HttpResponse {
  return !(outcome instanceof Error) && outcome.status === 202;
}

/** @throws PhylloError NETWORK_FAILED for a place that must not be gone to */
function redirection(outcome: Outcome): URL | undefined {
  if (outcome instanceof Error || (outcome.status !== 307 && outcome.status !== 308)) return undefined;
  const location = outcome.header('location');
  return location === undefined ? undefined : resolveLocation(location, outcome.url);
}
