/** How many things go into one error message. */

export interface ListedOptions {
  /** How many are named before `and N more`. Default 5. */
  readonly most?: number;
  /** Default `, `. */
  readonly separator?: string;
}

/** `a, b, c, and 7 more` */
export function listed(items: readonly string[], { most = 5, separator = ', ' }: ListedOptions = {}): string {
  const rest = items.length - most;
  return [...items.slice(0, most), ...(rest > 0 ? [`and ${rest} more`] : [])].join(separator);
}
