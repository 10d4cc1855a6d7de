/** Tokens until shortly before they expire. */
import type { Token } from './token-service.ts';

/** A request that is on its way must still arrive in time; of a short life half remains. */
const MARGIN_MS = 5000;

interface Kept {
  readonly token: Promise<string>;
  /** Undefined while it is fetched. */
  usableUntil: number | undefined;
}

export class TokenCache {
  readonly #tokens = new Map<string, Kept>();

  /** Callers with equal scopes at the same time share one token. @throws what `fetch` throws */
  async get(scopes: readonly string[], fetch: () => Promise<Token>): Promise<string> {
    const key = scopes.join(' ');
    const known = this.#tokens.get(key);
    if (known !== undefined && (known.usableUntil ?? Infinity) > Date.now()) return await known.token;
    const fetched = fetch();
    const kept: Kept = { token: fetched.then(({ token }) => token), usableUntil: undefined };
    // Perhaps nobody else waits for it.
    kept.token.catch(() => undefined);
    this.#tokens.set(key, kept);
    try {
      const { token, expiresIn } = await fetched;
      kept.usableUntil = Date.now() + Math.max(expiresIn * 500, expiresIn * 1000 - MARGIN_MS);
      return token;
    } catch (error) {
      if (this.#tokens.get(key) === kept) this.#tokens.delete(key);
      throw error;
    }
  }

  /** Forgets a token that was refused. One that is being fetched is newer than that. */
  drop(scopes: readonly string[]): void {
    const key = scopes.join(' ');
    if (this.#tokens.get(key)?.usableUntil !== undefined) this.#tokens.delete(key);
  }
}
