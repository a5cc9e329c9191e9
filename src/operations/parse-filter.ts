import {
  type DeclaredTypes,
  type Field,
  type FilterTree,
  placesOf,
  readingsOf,
  type Scalar,
  type ScalarList,
  type ValueTest,
} from '../backend/filter-tree.js';
import { SemanticIndexError } from '../errors.js';
import { describe, suggestName } from '../options.js';

const fieldOperators = [
  '$eq',
  '$ne',
  '$in',
  '$nin',
  '$gt',
  '$gte',
  '$lt',
  '$lte',
  '$exists',
  '$contains',
  '$all',
  '$size',
  '$elemMatch',
  '$not',
] as const;
const logicalOperators = ['$and', '$or', '$not'] as const;
const signs = { $gt: '>', $gte: '>=', $lt: '<', $lte: '<=' } as const;
/** Operators of MongoDB that are not here, and what to write instead. */
const elsewhere: Readonly<Record<string, string>> = {
  $nor: 'Write { $not: { $or: [...] } }.',
  $regex: '$contains finds a part of a string.',
  $text: 'Words are searched by the query, not by the filter.',
  $type: 'Use $exists to test whether the field exists.',
};
const maxLevels = 32;
const maxSteps = 8;
/**
 * Conditions of one filter, and places that they are looked for in. Each costs a document that is tested about a
 * microsecond.
 */
const maxConditions = 500;
const maxPlaces = 2000;
const noTypes: DeclaredTypes = new Map();
/** The tested element of a list itself. */
const element: Field = { name: '', readings: [] };

/**
 * A filter as a caller gives it, checked, as a tree.
 *
 * @throws INVALID_FILTER with the place in the filter, what was expected there and what was found.
 */
export function parseFilter(where: unknown, declared: DeclaredTypes = noTypes): FilterTree {
  return new FilterParser(declared).filter(where, 'where', 0);
}

class FilterParser {
  readonly #declared: DeclaredTypes;
  #conditions = 0;
  #places = 0;

  constructor(declared: DeclaredTypes) {
    this.#declared = declared;
  }

  filter(where: unknown, at: string, level: number, prefix?: string): FilterTree {
    const members = this.#members(where, at, level, 'a filter, which is a plain object');
    return all(
      members.map(([name, value]) => {
        const here = `${at}.${name}`;
        if (value === undefined) throw isUndefined(here);
        if (name === '$not') return not(this.filter(value, here, level + 1, prefix));
        if (name === '$and' || name === '$or') {
          const of = listAt(value, here, 'a list of filters').map((one, position) =>
            this.filter(one, `${here}[${position}]`, level + 1, prefix),
          );
          return { kind: name === '$and' ? 'all' : 'any', of };
        }
        if (name.startsWith('$')) throw this.#unknown(name, here, logicalOperators, 'outside a field');
        return this.#field(name, value, here, level, prefix);
      }),
    );
  }

  #field(name: string, value: unknown, at: string, level: number, prefix: string | undefined): FilterTree {
    const steps = name.split('.').length;
    if (steps > maxSteps) throw invalid(`${at}: expected a name of at most ${maxSteps} steps, got ${steps}`);
    const field = { name: prefix === undefined ? name : `${prefix}.${name}`, readings: readingsOf(name) };
    return isPlainObject(value) ? this.#conditionsOn(field, value, at, level) : this.#equal(field, value, at);
  }

  #conditionsOn(field: Field, conditions: unknown, at: string, level: number): FilterTree {
    const members = this.#members(conditions, at, level, 'conditions, as { $gt: 1 }');
    if (members.length === 0) throw invalid(`${at}: expected a condition, as { $gt: 1 }, got an empty object`);
    return all(members.map(([name, value]) => this.#condition(field, name, value, `${at}.${name}`, level)));
  }

  #condition(field: Field, name: string, value: unknown, at: string, level: number): FilterTree {
    if (value === undefined) throw isUndefined(at);
    switch (name as (typeof fieldOperators)[number]) {
      case '$eq':
        return this.#equal(field, value, at);
      case '$ne':
        return not(this.#equal(field, value, at));
      case '$in':
        return this.#in(field, value, at);
      case '$nin':
        return not(this.#in(field, value, at));
      case '$gt':
      case '$gte':
      case '$lt':
      case '$lte':
        if (typeof value !== 'string' && !Number.isFinite(value)) throw unexpected(at, 'a string or a number', value);
        this.#checkType(field, value, at);
        return this.#on(field, {
          test: 'order',
          sign: signs[name as keyof typeof signs],
          value: value as string | number,
        });
      case '$exists': {
        if (typeof value !== 'boolean') throw unexpected(at, 'true or false', value);
        const exists = this.#on(field, { test: 'exists' });
        return value ? exists : not(exists);
      }
      case '$contains':
        if (Array.isArray(value)) {
          const hint = 'Write $all for several elements; $contains looks for one.';
          throw unexpected(at, 'one element or one part of a string', value, hint);
        }
        return this.#on(field, { test: 'contains', value: this.#scalar(field, value, at) });
      case '$all': {
        const of = listAt(value, at, 'a list of elements').map((one, position) => {
          const here = `${at}[${position}]`;
          return isPlainObject(one) ? this.#conditionsOn(field, one, here, level + 1) : this.#equal(field, one, here);
        });
        return of.length === 0 ? { kind: 'any', of } : all(of);
      }
      case '$size':
        if (!Number.isSafeInteger(value) || (value as number) < 0) throw unexpected(at, 'a number of elements', value);
        this.#checkList(field, at);
        return this.#on(field, { test: 'size', size: value as number });
      case '$elemMatch':
        return this.#elemMatch(field, value, at, level);
      case '$not':
        if (!isPlainObject(value)) throw unexpected(at, 'conditions, as { $gt: 1 }', value, 'Write $ne for a value.');
        return not(this.#conditionsOn(field, value, at, level + 1));
      default:
        throw this.#unknown(name, at, fieldOperators, `on the field "${field.name}"`);
    }
  }

  /** An operator at the beginning says that the elements are tested themselves; else they are objects with fields. */
  #elemMatch(field: Field, value: unknown, at: string, level: number): FilterTree {
    if (!isPlainObject(value)) throw unexpected(at, 'conditions or a filter', value);
    this.#checkList(field, at);
    const [first] = Object.keys(value);
    const objects = first === undefined || !first.startsWith('$') || isOneOf(first, ['$and', '$or']);
    const of = objects
      ? this.filter(value, at, level + 1, field.name)
      : this.#conditionsOn({ ...element, name: field.name }, value, at, level + 1);
    return this.#on(field, { test: 'element', objects, of });
  }

  #equal(field: Field, value: unknown, at: string): FilterTree {
    if (Array.isArray(value)) {
      this.#checkList(field, at);
      return this.#on(field, { test: 'list', value: scalarList(value, at, 0) });
    }
    const scalar = this.#scalar(field, value, at);
    return this.#on(field, scalar === null ? { test: 'null' } : { test: 'equal', value: scalar });
  }

  #in(field: Field, value: unknown, at: string): FilterTree {
    const hint = 'Write { $or: [...] } where whole lists are meant.';
    const values = listAt(value, at, 'a list of values').map((one, position) =>
      Array.isArray(one)
        ? fail(unexpected(`${at}[${position}]`, 'a string, number, boolean or null', one, hint))
        : this.#scalar(field, one, `${at}[${position}]`),
    );
    const of: FilterTree[] = [];
    const strings = values.filter((one) => typeof one === 'string');
    const numbers = values.filter((one) => typeof one === 'number');
    if (strings.length > 0) of.push(this.#on(field, { test: 'member', values: strings }));
    if (numbers.length > 0) of.push(this.#on(field, { test: 'member', values: numbers }));
    for (const one of [true, false]) if (values.includes(one)) of.push(this.#on(field, { test: 'equal', value: one }));
    if (values.includes(null)) of.push(this.#on(field, { test: 'null' }));
    return { kind: 'any', of };
  }

  /** One condition more. */
  #on(field: Field, test: ValueTest): FilterTree {
    this.#conditions += 1;
    this.#places += Math.max(1, placesOf(field.readings));
    if (this.#conditions > maxConditions || this.#places > maxPlaces) {
      throw invalid(
        this.#conditions > maxConditions
          ? `where: expected at most ${maxConditions} conditions in all`
          : `where: expected conditions on fewer names with dots: they are looked for in more than ${maxPlaces} places`,
        'Write $in for many values of one field.',
      );
    }
    return { kind: 'field', field, test };
  }

  #scalar(field: Field, value: unknown, at: string): Scalar | null {
    const scalar = scalarAt(value, at);
    if (scalar !== null) this.#checkType(field, scalar, at);
    return scalar;
  }

  #checkType({ name }: Field, value: unknown, at: string): void {
    const type = this.#declared.get(name);
    if (type === undefined || typeof value === type) return;
    throw unexpected(at, `a ${type}, as the field "${name}" is declared`, value, `Convert it to a ${type}.`);
  }

  #checkList({ name }: Field, at: string): void {
    const type = this.#declared.get(name);
    if (type === undefined) return;
    throw invalid(`${at}: expected a condition on a ${type}, as the field "${name}" is declared, got one on a list`);
  }

  #members(value: unknown, at: string, level: number, expected: string): [string, unknown][] {
    if (!isPlainObject(value)) throw unexpected(at, expected, value);
    if (level > maxLevels) throw invalid(`${at}: expected at most ${maxLevels} levels`);
    const [symbol] = Object.getOwnPropertySymbols(value);
    if (symbol !== undefined) throw invalid(`${at}: expected names that are strings, got ${String(symbol)}`);
    return Object.entries(value);
  }

  #unknown(name: string, at: string, known: readonly string[], place: string): SemanticIndexError {
    const instead = elsewhere[name];
    const hint = `Operators here: ${known.join(', ')}.`;
    if (instead !== undefined) return invalid(`${at}: there is no operator ${name}`, `${instead} ${hint}`);
    if (known === logicalOperators && isOneOf(name, fieldOperators)) {
      return invalid(`${at}: expected ${name} on a field, got it ${place}`, `Write { field: { ${name}: … } }. ${hint}`);
    }
    const meant = suggestName(name, known);
    if (name.startsWith('$') || (meant !== undefined && `$${name}` === meant)) {
      return invalid(
        `${at}: there is no operator ${name} ${place}`,
        meant === undefined ? hint : `Did you mean ${meant}?`,
      );
    }
    return invalid(
      `${at}: expected an operator ${place}, got "${name}"`,
      `Members of objects are named with dots: { "${at.replace(/^where\.(?:\$\w+(?:\[\d+\])?\.)*/, '')}": … }. ${hint}`,
    );
  }
}

function all(of: readonly FilterTree[]): FilterTree {
  return of.length === 1 ? (of[0] as FilterTree) : { kind: 'all', of };
}

function not(of: FilterTree): FilterTree {
  return { kind: 'not', of };
}

function isOneOf(name: string, known: readonly string[]): boolean {
  return known.includes(name);
}

/** A list without holes: what is not there is undefined, and refused like it. */
function listAt(value: unknown, at: string, expected: string): unknown[] {
  if (!Array.isArray(value)) throw unexpected(at, expected, value);
  return Array.from(value);
}

function scalarList(list: readonly unknown[], at: string, level: number): ScalarList {
  if (level > maxLevels) throw invalid(`${at}: expected at most ${maxLevels} levels`);
  return Array.from(list, (one, position) => {
    const here = `${at}[${position}]`;
    return Array.isArray(one) ? scalarList(one, here, level + 1) : scalarAt(one, here);
  });
}

function scalarAt(value: unknown, at: string): Scalar | null {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (value === undefined) throw isUndefined(at);
  throw unexpected(at, 'a string, a finite number, a boolean or null', value);
}

/**
 * An object literal, of whichever realm, or one without prototype: what a class made may hold more than its own
 * members.
 */
function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return (
    prototype === null ||
    (Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'isPrototypeOf'))
  );
}

function hintFor(value: unknown): string | undefined {
  if (value instanceof Date) {
    return 'Dates are compared as they were stored: write date.toISOString() for ISO 8601 strings, date.getTime() for milliseconds.';
  }
  if (typeof value === 'bigint') return 'JSON has no BigInt: write a number, or store and compare it as a string.';
  if (value instanceof Set)
    return 'Write { $in: [...set] } for one of its elements, { $all: [...set] } for all of them.';
  if (value instanceof RegExp) return 'Write { $contains: "part" } for a part of a string.';
  if (value instanceof Promise) return 'A promise: await it.';
  return undefined;
}

function isUndefined(at: string): SemanticIndexError {
  return invalid(
    `${at}: expected a value, got undefined`,
    'Leave the member out where it does not matter, or write null for a value that is missing.',
  );
}

function unexpected(at: string, expected: string, value: unknown, hint?: string): SemanticIndexError {
  const got = typeof value === 'bigint' ? `the BigInt ${value}` : describe(value);
  return invalid(`${at}: expected ${expected}, got ${got}`, hintFor(value) ?? hint);
}

function invalid(message: string, hint?: string): SemanticIndexError {
  return new SemanticIndexError('INVALID_FILTER', message, hint === undefined ? {} : { hint });
}

function fail(error: SemanticIndexError): never {
  throw error;
}
