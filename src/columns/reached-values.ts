import type { Scalar, Step } from '../backend/filter-tree.js';

/**
 * The distinct strings, finite numbers and booleans that a name reaches in the metadata of a document: those for which
 * `where: { name: value }` finds it. A list counts by each of its elements.
 */
export function reachedValues(metadata: unknown, readings: readonly Step[]): Scalar[] {
  const found = new Set<Scalar>();
  for (const step of readings) follow(metadata, step, found);
  return [...found];
}

function follow(value: unknown, step: Step, found: Set<Scalar>): void {
  if (Array.isArray(value)) {
    if (typeof step.key === 'number') {
      if (step.key < value.length) arrive(value[step.key], step.rest, found);
      return;
    }
    // A key that meets a list is looked for in each object of the list.
    for (const element of value) if (!Array.isArray(element)) follow(element, step, found);
    return;
  }
  if (typeof value !== 'object' || value === null || typeof step.key === 'number') return;
  if (Object.hasOwn(value, step.key)) arrive((value as Record<string, unknown>)[step.key], step.rest, found);
}

function arrive(value: unknown, rest: readonly Step[], found: Set<Scalar>): void {
  if (rest.length > 0) {
    for (const step of rest) follow(value, step, found);
    return;
  }
  for (const one of Array.isArray(value) ? value : [value]) {
    // There is one zero.
    if (typeof one === 'number' && Number.isFinite(one)) found.add(one + 0);
    else if (typeof one === 'string' || typeof one === 'boolean') found.add(one);
  }
}
