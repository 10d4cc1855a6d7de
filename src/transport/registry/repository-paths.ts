/** Addresses and scopes of what is in a repository. @see OCI distribution-spec v1.1, "Endpoints" */

/** @param path below the repository: `blobs/sha256:…` */
export function repositoryPath(repository: string, path: string): string {
  return `/v2/${repository}/${path}`;
}

export function pullScope(repository: string): string {
  return `repository:${repository}:pull`;
}

export function pushScope(repository: string): string {
  return `repository:${repository}:pull,push`;
}
