/** What a token is to allow: `repository:NAME:pull,push`. @see distribution, "Token Scope Documentation" */

/** Each resource once with all its actions, in a fixed order, so that equal wishes are equal. What is no scope is left out. */
export function mergeScopes(scopes: readonly string[]): readonly string[] {
  const actions = new Map<string, Set<string>>();
  for (const scope of scopes) {
    const [, resource, list = ''] = /^(.+:.+):([^:]*)$/.exec(scope) ?? [];
    if (resource === undefined) continue;
    const known = actions.get(resource) ?? new Set();
    actions.set(resource, known.union(new Set(list.split(','))));
  }
  return [...actions]
    .map(([resource, wanted]) => `${resource}:${[...wanted].toSorted().join(',')}`)
    .toSorted();
}

/** Undefined where the scope is not about a repository. */
export function repositoryOf(scope: string): string | undefined {
  return /^repository:(.+):[^:]*$/.exec(scope)?.[1];
}
