/** Everything that affects the vectors of a provider, by name. Undefined facts are left out. */
export type ProviderFacts = Readonly<Record<string, string | number | boolean | undefined>>;

/** One fact in which two fingerprints differ; undefined where it is absent. */
export interface FactDifference {
  readonly fact: string;
  readonly expected: string | undefined;
  readonly actual: string | undefined;
}

/**
 * The id of a provider: its kind, then every fact that changes a vector, as in `openai?model=m&dimensions=512`. Equal
 * facts give equal text, whatever their order.
 */
export function fingerprintOf(kind: string, facts: ProviderFacts): string {
  const known = Object.entries(facts).filter(([, value]) => value !== undefined && value !== '');
  known.sort(([a], [b]) => (a < b ? -1 : 1));
  return `${kind}?${new URLSearchParams(known.map(([fact, value]): [string, string] => [fact, String(value)])).toString()}`;
}

/**
 * The facts in which two fingerprints differ; the kind counts as the fact `provider`. Ids in other formats, which users
 * choose freely, are compared as a whole, as the fact `id`.
 */
export function fingerprintDifferences(expected: string, actual: string): FactDifference[] {
  if (expected === actual) return [];
  const [before, after] = [factsOf(expected), factsOf(actual)];
  if (before === undefined || after === undefined) return [{ fact: 'id', expected, actual }];
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((fact) => before.get(fact) !== after.get(fact))
    .map((fact) => ({ fact, expected: before.get(fact), actual: after.get(fact) }));
}

/** Differences as text: `pooling is "cls", was "mean"`. */
export function describeDifferences(differences: readonly FactDifference[]): string {
  const show = (value: string | undefined): string => (value === undefined ? 'not set' : JSON.stringify(value));
  return differences
    .map(({ fact, expected, actual }) => `${fact} is ${show(actual)}, was ${show(expected)}`)
    .join('; ');
}

function factsOf(fingerprint: string): Map<string, string> | undefined {
  const question = fingerprint.indexOf('?');
  if (question < 1) return undefined;
  const facts = new Map([['provider', fingerprint.slice(0, question)]]);
  for (const [fact, value] of new URLSearchParams(fingerprint.slice(question + 1))) facts.set(fact, value);
  return facts;
}
