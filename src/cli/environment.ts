/** The environment's variables that the command reads, for the manual. A test compares. */
export const ENVIRONMENT: Readonly<Record<string, string>> = {
  SOURCE_DATE_EPOCH: 'Seconds since 1970: the creation date of images that name none.',
  XDG_CACHE_HOME:
    'Directory in which phyllo/ is, with the digest cache and what binary caches answered. Default: ~/.cache.',
  PHYLLO_STORE_TOKEN: 'HOST=TOKEN, several separated by spaces: bearer tokens for binary caches.',
  NETRC: 'File with logins for binary caches, unless nix.conf names one. Default: ~/.netrc.',
  REGISTRY_AUTH_FILE: 'File with credentials for registries, asked first and written by phyllo login.',
  DOCKER_CONFIG: "Directory of docker's config.json, with credentials for registries. Default: ~/.docker.",
  XDG_RUNTIME_DIR: "Directory below which podman's file of credentials is, containers/auth.json.",
  NIX_CONF_DIR: 'Directory of nix.conf, which says what binary caches are trusted. Default: /etc/nix.',
  NIX_USER_CONF_FILES: "The user's own nix.conf files, separated by colons.",
  XDG_CONFIG_HOME: "Directory of the user's nix/nix.conf. Default: ~/.config.",
  NIX_SSL_CERT_FILE: 'File with certificates of authorities, beside those of Node.js.',
  SSL_CERT_FILE: 'The same, where NIX_SSL_CERT_FILE names none.',
  http_proxy: 'Proxy for http. Only in small letters.',
  https_proxy: 'Proxy for https; HTTPS_PROXY, too.',
  no_proxy: 'Hosts that are talked to without a proxy; NO_PROXY, too.',
  NO_COLOR: 'Not empty: no colours.',
  TMPDIR: 'Directory of temporary files.',
};
