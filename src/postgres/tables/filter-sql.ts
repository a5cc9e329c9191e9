import { type Field, type FilterTree, isFieldName, type Step, type ValueTest } from '../../backend/filter-tree.js';
import { SemanticIndexError } from '../../errors.js';
import { jsonbOf, jsonbString, quoteText } from '../connection/names.js';
import type { Condition } from './document-reads.js';
import type { Parameters } from './parameters.js';

/**
 * What a condition tests: the object in which names are looked up, and the value that is tested when there is no name. Both are
 * expressions of type jsonb.
 */
interface Scope {
  readonly object: string;
  readonly self: string | undefined;
}

/** The declared fields of an index, by name. */
type DeclaredNames = Readonly<Record<string, unknown>>;

const documentFields = 'd.fields';

type ScalarTest = Extract<ValueTest, { test: 'null' | 'equal' | 'member' | 'order' }>;

/**
 * Compiles a filter to a condition over the row `d` of documents. Every value and every name from the caller becomes a parameter, so
 * none is parsed as SQL. The condition is true or false, never null.
 */
export function compileFilter(tree: FilterTree, parameters: Parameters, declared: DeclaredNames = {}): string {
  return new FilterCompiler(parameters, declared).condition(tree, { object: documentFields, self: undefined });
}

/** The same, for the statement whose parameters it is given. */
export function conditionOf(tree: FilterTree, declared: DeclaredNames = {}): Condition {
  return (parameters) => compileFilter(tree, parameters, declared);
}

/** Whether conditions on a declared field use an index: a path may reach into lists of objects, where no index helps. */
export function isIndexed(name: string): boolean {
  return isFieldName(name) && !name.includes('.');
}

/** The value of a declared field, as its index has it; undefined when its name cannot stand in a statement. */
export function declaredValue(name: string): string | undefined {
  if (!isFieldName(name)) return undefined;
  return name.split('.').reduce((object, step) => `(${object} -> ${quoteText(step)})`, 'fields');
}

class FilterCompiler {
  readonly #parameters: Parameters;
  readonly #declared: DeclaredNames;
  /** Names are bound once. */
  readonly #keys = new Map<string, string>();
  #aliases = 0;

  constructor(parameters: Parameters, declared: DeclaredNames) {
    this.#parameters = parameters;
    this.#declared = declared;
  }

  condition(tree: FilterTree, scope: Scope): string {
    switch (tree.kind) {
      case 'all':
        return joined(
          tree.of.map((one) => this.condition(one, scope)),
          'AND',
        );
      case 'any':
        return joined(
          tree.of.map((one) => this.condition(one, scope)),
          'OR',
        );
      case 'not':
        return `(NOT ${this.condition(tree.of, scope)})`;
      case 'field':
        return this.#indexed(tree.field, tree.test, scope);
    }
  }

  /** The condition on a field, and for a declared one a wider condition that its index answers. */
  #indexed(field: Field, test: ValueTest, scope: Scope): string {
    const exact = this.#field(field, test, scope);
    const wide = scope.object === documentFields ? this.#wide(field.name, test) : undefined;
    return wide === undefined ? exact : `(${wide} AND ${exact})`;
  }

  /**
   * What all values that pass a test fulfil, and lists that may have such an element: jsonb orders numbers before booleans, and these before
   * lists that are not empty. Strings are ordered by the collation of the database, so they are only compared for equality.
   */
  #wide(name: string, test: ValueTest): string | undefined {
    if (this.#declared[name] === undefined || !isIndexed(name)) return undefined;
    const value = `(${documentFields} -> ${quoteText(name)})`;
    const list = `${value} > 'true'::jsonb`;
    if (test.test === 'equal') return `(${value} = ${this.#json(JSON.stringify(test.value))} OR ${list})`;
    if (test.test === 'member') {
      const values = test.values.map((one) => jsonbOf(JSON.stringify(one)) as string);
      return `(${value} = ANY(${this.#parameters.bind(values)}::text[]::jsonb[]) OR ${list})`;
    }
    if (test.test !== 'order' || typeof test.value !== 'number') return undefined;
    const ordered = `${value} ${test.sign} ${this.#json(JSON.stringify(test.value))}`;
    return test.sign.startsWith('>') ? ordered : `(${ordered} OR ${list})`;
  }

  #field({ readings }: Field, test: ValueTest, { object, self }: Scope): string {
    if (readings.length === 0) return this.#test(self as string, test);
    if (test.test === 'null') return this.#isNull(object, readings);
    return joined(
      this.#places(object, readings, true, (value) => this.#test(value, test)),
      'OR',
    );
  }

  /** A condition for each place that a name reaches: that of `found` for a value, and a subquery for each list on the way. */
  #places(object: string, readings: readonly Step[], isObject: boolean, found: (value: string) => string): string[] {
    return readings.flatMap(({ key, rest }) => {
      if (isObject && typeof key === 'number') return [];
      const here = this.#at(object, key);
      if (rest.length === 0) return [found(here)];
      const inObjects = this.#someObject(here, (one) => joined(this.#places(one, rest, true, found), 'OR'));
      return [...this.#places(here, rest, false, found), inObjects];
    });
  }

  #at(object: string, key: string | number): string {
    if (typeof key === 'number') return `(${object} -> ${key})`;
    const stored = jsonbString(key);
    let bound = this.#keys.get(stored);
    if (bound === undefined) {
      bound = `${this.#parameters.bind(stored)}::text`;
      this.#keys.set(stored, bound);
    }
    return `(${object} -> ${bound})`;
  }

  /** Whether a list has an object for which a condition holds. */
  #someObject(list: string, holds: (one: string) => string): string {
    const alias = this.#alias();
    return `EXISTS (SELECT 1 FROM ${elementsOf(list)} ${alias}(v) WHERE jsonb_typeof(${alias}.v) = 'object' AND ${holds(`${alias}.v`)})`;
  }

  #isNull(object: string, readings: readonly Step[]): string {
    const isNull = joined(
      this.#places(object, readings, true, (value) => this.#test(value, { test: 'null' })),
      'OR',
    );
    return `(${isNull} OR ${this.#lacks(object, readings)})`;
  }

  /** Whether a name reaches nothing in an object, or nothing in one of the objects of a list on the way. */
  #lacks(object: string, readings: readonly Step[]): string {
    const reached = joined(
      this.#places(object, readings, true, (value) => `(${value} IS NOT NULL)`),
      'OR',
    );
    return joined([`(NOT ${reached})`, ...this.#lackingObjects(object, readings, true)], 'OR');
  }

  #lackingObjects(object: string, readings: readonly Step[], isObject: boolean): string[] {
    return readings.flatMap(({ key, rest }) => {
      if (rest.length === 0 || (isObject && typeof key === 'number')) return [];
      const here = this.#at(object, key);
      return [this.#someObject(here, (one) => this.#lacks(one, rest)), ...this.#lackingObjects(here, rest, false)];
    });
  }

  /** A list is tested itself, and by its elements. */
  #test(value: string, test: ValueTest): string {
    switch (test.test) {
      case 'exists':
        return `(${value} IS NOT NULL)`;
      case 'null':
      case 'equal':
      case 'member':
      case 'order':
        return `(CASE jsonb_typeof(${value}) WHEN ${typeOf(test)} THEN ${this.#compared(value, test)} WHEN 'array' THEN ${this.#inElements(value, test)} ELSE false END)`;
      case 'list': {
        const list = `${this.#json(JSON.stringify(test.value))}`;
        return `(CASE jsonb_typeof(${value}) WHEN 'array' THEN ${value} = ${list} OR EXISTS (SELECT 1 FROM ${elementsOf(value)} ${this.#alias()}(v) WHERE v = ${list}) ELSE false END)`;
      }
      case 'contains': {
        const equal: ScalarTest = test.value === null ? { test: 'null' } : { test: 'equal', value: test.value };
        const part = typeof test.value === 'string' ? `WHEN 'string' THEN ${this.#hasPart(value, test.value)}` : '';
        return `(CASE jsonb_typeof(${value}) WHEN 'array' THEN ${this.#inElements(value, equal)} ${part} ELSE false END)`;
      }
      case 'size':
        return `(CASE jsonb_typeof(${value}) WHEN 'array' THEN jsonb_array_length(${value}) = ${this.#parameters.bind(test.size)}::int ELSE false END)`;
      case 'element': {
        const alias = this.#alias();
        const holds = this.condition(test.of, { object: `${alias}.v`, self: `${alias}.v` });
        const isObject = test.objects ? `jsonb_typeof(${alias}.v) = 'object' AND ` : '';
        return `EXISTS (SELECT 1 FROM ${elementsOf(value)} ${alias}(v) WHERE ${isObject}${holds})`;
      }
    }
  }

  #hasPart(value: string, part: string): string {
    if (['\0', '\u0001', '\u0002'].some((character) => part.includes(character))) {
      throw new SemanticIndexError(
        'UNSUPPORTED',
        '$contains of a part with U+0000 to U+0002 is not possible in PostgreSQL',
        {
          hint: 'Leave these characters out, or compare the whole string.',
        },
      );
    }
    return `strpos(${value} #>> '{}', ${this.#parameters.bind(jsonbString(part))}::text) > 0`;
  }

  #inElements(list: string, test: ScalarTest): string {
    const alias = this.#alias();
    return `EXISTS (SELECT 1 FROM ${elementsOf(list)} ${alias}(v) WHERE CASE jsonb_typeof(${alias}.v) WHEN ${typeOf(test)} THEN ${this.#compared(`${alias}.v`, test)} ELSE false END)`;
  }

  /** Compares a value that is known to be of the type of the test. */
  #compared(value: string, test: ScalarTest): string {
    switch (test.test) {
      case 'null':
        return 'true';
      case 'equal':
        return `${value} = ${this.#json(JSON.stringify(test.value))}`;
      case 'member': {
        const values = test.values.map((one) => jsonbOf(JSON.stringify(one)) as string);
        return `${value} = ANY(${this.#parameters.bind(values)}::text[]::jsonb[])`;
      }
      case 'order':
        return typeof test.value === 'number'
          ? `${value} ${test.sign} ${this.#json(JSON.stringify(test.value))}`
          : `(${value} #>> '{}') COLLATE "C" ${test.sign} ${this.#parameters.bind(jsonbString(test.value))}::text`;
    }
  }

  #json(json: string): string {
    return `${this.#parameters.bind(jsonbOf(json))}::jsonb`;
  }

  #alias(): string {
    this.#aliases += 1;
    return `e${this.#aliases}`;
  }
}

/** The elements of a list; none of what is not a list. */
function elementsOf(value: string): string {
  return `jsonb_array_elements(CASE jsonb_typeof(${value}) WHEN 'array' THEN ${value} ELSE '[]'::jsonb END)`;
}

/** The type, as PostgreSQL names it, of the values that can pass. */
function typeOf(test: ScalarTest): string {
  if (test.test === 'null') return "'null'";
  const value = test.test === 'member' ? test.values[0] : test.value;
  return `'${typeof value}'`;
}

function joined(parts: readonly string[], connective: 'AND' | 'OR'): string {
  if (parts.length === 0) return connective === 'AND' ? 'true' : 'false';
  return parts.length === 1 ? (parts[0] as string) : `(${parts.join(` ${connective} `)})`;
}
