/** Something costly that several tests need and no test wants when all of them are skipped. */

/** A function that makes its result at the first call and returns the same one after that. */
export function once<Result>(make: () => Result): () => Result {
  let made: { readonly result: Result } | undefined;
  return () => (made ??= { result: make() }).result;
}
