const listedAtMost = 20;

/** The lines of the first items, and how many more there are. */
export function few<T>(items: readonly T[], line: (item: T) => string): string[] {
  const shown = items.slice(0, listedAtMost).map(line);
  const more = items.length - shown.length;
  return more > 0 ? [...shown, `… and ${more.toLocaleString('en')} more: --json lists all`] : shown;
}
