// What `where` means, in plain JavaScript over parsed metadata: the oracle of the compiled filters. It shares no code with them.

type Conditions = Readonly<Record<string, unknown>>;

/** Whether metadata matches a filter that is valid. */
export function matches(metadata: object, where: Conditions): boolean {
  return Object.entries(where).every(([name, value]) => {
    if (name === '$and') return (value as Conditions[]).every((one) => matches(metadata, one));
    if (name === '$or') return (value as Conditions[]).some((one) => matches(metadata, one));
    if (name === '$not') return !matches(metadata, value as Conditions);
    const conditions = isObject(value) ? value : { $eq: value };
    return fieldMatches(reachesOf(metadata, name), lacks(metadata, stepsOf(name)), conditions);
  });
}

function fieldMatches(values: readonly unknown[], missing: boolean, conditions: Conditions): boolean {
  const some = (holds: (value: unknown) => boolean): boolean => values.some(holds);
  const someOrElement = (holds: (value: unknown) => boolean): boolean =>
    some((value) => holds(value) || (Array.isArray(value) && value.some(holds)));
  const equals = (wanted: unknown): boolean =>
    someOrElement((value) => same(value, wanted)) || (wanted === null && missing);
  return Object.entries(conditions).every(([operator, operand]): boolean => {
    switch (operator) {
      case '$eq':
        return equals(operand);
      case '$ne':
        return !equals(operand);
      case '$in':
        return (operand as unknown[]).some(equals);
      case '$nin':
        return !(operand as unknown[]).some(equals);
      case '$gt':
        return someOrElement((value) => order(value, operand) > 0);
      case '$gte':
        return someOrElement((value) => order(value, operand) >= 0);
      case '$lt':
        return someOrElement((value) => order(value, operand) < 0);
      case '$lte':
        return someOrElement((value) => order(value, operand) <= 0);
      case '$exists':
        return operand === values.length > 0;
      case '$contains':
        return some((value) =>
          Array.isArray(value)
            ? value.some((element) => same(element, operand))
            : typeof value === 'string' && typeof operand === 'string' && value.includes(operand),
        );
      case '$all':
        return (
          (operand as unknown[]).length > 0 &&
          (operand as unknown[]).every((one) => (isObject(one) ? fieldMatches(values, missing, one) : equals(one)))
        );
      case '$size':
        return some((value) => Array.isArray(value) && value.length === operand);
      case '$elemMatch': {
        const first = Object.keys(operand as object)[0];
        const ofValues = first?.startsWith('$') && first !== '$and' && first !== '$or';
        return some(
          (value) =>
            Array.isArray(value) &&
            value.some((element) =>
              ofValues
                ? fieldMatches([element], false, operand as Conditions)
                : isObject(element) && matches(element, operand as Conditions),
            ),
        );
      }
      case '$not':
        return !fieldMatches(values, missing, operand as Conditions);
      default:
        throw new Error(`no oracle for ${operator}`);
    }
  });
}

function isObject(value: unknown): value is Conditions {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Names of up to four steps may have keys with dots in them; of longer ones only the whole may be a key. */
const maxJoined = 4;

function stepsOf(name: string): string[][] {
  const steps = name.split('.');
  return steps.length <= maxJoined ? [steps] : [steps, [name]];
}

function reachesOf(metadata: object, name: string): unknown[] {
  return stepsOf(name).flatMap((steps) => reach(metadata, steps, stepsOf(name).length === 1 ? maxJoined : 1));
}

function reach(node: unknown, steps: readonly string[], joined: number): unknown[] {
  const [step, ...rest] = steps;
  if (step === undefined) return [node];
  if (Array.isArray(node)) {
    const indexed = isIndex(step) && Number(step) < node.length ? reach(node[Number(step)], rest, joined) : [];
    return [...indexed, ...node.filter(isObject).flatMap((element) => reach(element, steps, joined))];
  }
  if (!isObject(node)) return [];
  return keysOf(node, steps, joined).flatMap(([key, after]) => reach(node[key], after, joined));
}

function keysOf(node: object, steps: readonly string[], joined: number): [key: string, after: string[]][] {
  return steps.slice(0, joined).flatMap((_, last): [string, string[]][] => {
    const key = steps.slice(0, last + 1).join('.');
    return Object.hasOwn(node, key) ? [[key, steps.slice(last + 1)]] : [];
  });
}

function isIndex(step: string): boolean {
  return String(Number(step)) === step && /^\d{1,9}$/.test(step);
}

/** Whether a name reaches nothing, or nothing in one of the objects of a list that it goes through. */
function lacks(node: object, readings: string[][]): boolean {
  const joined = readings.length === 1 ? maxJoined : 1;
  const lacksIn = (object: object, ways: readonly (readonly string[])[]): boolean =>
    ways.every((steps) => reach(object, steps, joined).length === 0) ||
    ways.some((steps) => someListLacks(object, steps));
  const someListLacks = (value: unknown, steps: readonly string[]): boolean => {
    const [step, ...rest] = steps;
    if (step === undefined) return false;
    if (Array.isArray(value)) {
      const inElement = isIndex(step) && someListLacks(value[Number(step)], rest);
      return inElement || value.filter(isObject).some((element) => lacksIn(element, [steps]));
    }
    return isObject(value) && keysOf(value, steps, joined).some(([key, after]) => someListLacks(value[key], after));
  };
  return lacksIn(node, readings);
}

function same(value: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted)) {
    return (
      Array.isArray(value) &&
      value.length === wanted.length &&
      value.every((element, position) => same(element, wanted[position]))
    );
  }
  return value === wanted;
}

/** Below, at or above zero; NaN where the two have no order. Strings are ordered by code points. */
function order(value: unknown, wanted: unknown): number {
  if (typeof value === 'number' && typeof wanted === 'number')
    return Math.sign(value - wanted) || compare(value, wanted);
  if (typeof value !== 'string' || typeof wanted !== 'string') return Number.NaN;
  const [one, other] = [Array.from(value), Array.from(wanted)];
  for (let place = 0; place < Math.min(one.length, other.length); place++) {
    const difference = (one[place]?.codePointAt(0) ?? 0) - (other[place]?.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return one.length - other.length;
}

function compare(value: number, wanted: number): number {
  return value < wanted ? -1 : value > wanted ? 1 : 0;
}
