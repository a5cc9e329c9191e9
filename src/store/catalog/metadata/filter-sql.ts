import { type Field, type FilterTree, isFieldName, type Step, type ValueTest } from '../../../backend/filter-tree.js';

/** A condition over the row `d` of documents: fixed SQL, with everything from the caller as bound parameters. */
export interface CompiledFilter {
  readonly sql: string;
  readonly parameters: (string | number | bigint)[];
}

/** A declared field as SQL indexes know it. */
export interface IndexedField {
  /** Its JSON path, which stands in SQL as it is. */
  readonly path: string;
  /**
   * 1 for metadata where the name may reach more than the value at its path: a list on the way, or a key with dots.
   * Undefined for a name without dots, which reaches nothing else. `row` is put before the column.
   */
  readonly irregular: ((row: '' | 'd.') => string) | undefined;
}

/** SQL that reads a value, its type and its elements. */
interface Value {
  readonly type: () => string;
  readonly value: () => string;
  /** The table of its elements; only read where it is a list. */
  readonly elements: () => string;
  readonly size: () => string;
}

/**
 * What a condition tests: the object in which names are looked up, and the value that is tested when there is no
 * name.
 */
interface Scope {
  readonly object: string;
  readonly self: Value | undefined;
  /**
   * Whether the condition is inside a `not`. Then it must be 0 or 1, because `not null` is null; elsewhere null works as
   * 0, and only a bare comparison can use an index.
   */
  readonly negated: boolean;
}

/** The field as SQL indexes know it, or undefined when its name has other characters than letters, digits and underscores. */
export function indexedField(name: string): IndexedField | undefined {
  if (!isFieldName(name)) return undefined;
  const steps = name.split('.');
  const paths = steps.map(
    (_, last) =>
      `$${steps
        .slice(0, last + 1)
        .map(pathStep)
        .join('')}`,
  );
  const irregular = (row: '' | 'd.'): string => {
    const lists = paths.slice(0, -1).map((path) => `json_type(${row}metadata, '${path}') IS 'array'`);
    const keys = steps.slice(1).map((step, before) => `instr(${row}metadata, '${steps[before]}.${step}') > 0`);
    return `max(${[...lists, ...keys].join(', ')})`;
  };
  return { path: paths.at(-1) as string, irregular: steps.length === 1 ? undefined : irregular };
}

/**
 * Compiles a filter to SQL. Every value and path from the caller becomes a bound parameter, so none is parsed as SQL.
 * Only the names of declared fields are in the text, because SQLite matches an index by its expression; they have
 * letters, digits and underscores only, see `indexedField`.
 */
export function compileFilter(tree: FilterTree, indexed: ReadonlySet<string> = new Set()): CompiledFilter {
  const compiler = new SqlCompiler(indexed);
  return {
    sql: compiler.condition(tree, { object: 'd.metadata', self: undefined, negated: false }),
    parameters: compiler.parameters,
  };
}

class SqlCompiler {
  readonly parameters: (string | number | bigint)[] = [];
  readonly #indexed: ReadonlySet<string>;
  #aliases = 0;

  constructor(indexed: ReadonlySet<string>) {
    this.#indexed = indexed;
  }

  /** Parameters are pushed as the SQL is written: each piece is made where it stands. */
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
        return `(NOT ${this.condition(tree.of, { ...scope, negated: true })})`;
      case 'field':
        return this.#field(tree.field, tree.test, scope);
    }
  }

  #bind(value: string | number | bigint): string {
    this.parameters.push(value);
    return '?';
  }

  #field({ name, readings }: Field, test: ValueTest, scope: Scope): string {
    const { object, self, negated } = scope;
    if (readings.length === 0) return this.#test(self as Value, test);
    if (test.test === 'null') return this.#isNull(object, readings);
    const indexed = !negated && object === 'd.metadata' && this.#indexed.has(name) ? indexedField(name) : undefined;
    if (indexed === undefined) return joined(this.#places(object, '$', readings, true, this.#testing(test)), 'OR');
    const direct = this.#indexedTest(indexed.path, test);
    if (indexed.irregular === undefined) return direct;
    const all = joined(this.#places(object, '$', readings, true, this.#testing(test)), 'OR');
    return `(${direct} OR (${indexed.irregular('d.')} = 1 AND ${all}))`;
  }

  #testing(test: ValueTest): (value: Value) => string {
    return (value) => this.#test(value, test);
  }

  /**
   * A condition for each place that a name reaches: the SQL of `found` for a value, and a subquery for each list on the way.
   */
  #places(
    object: string,
    path: string,
    readings: readonly Step[],
    isObject: boolean,
    found: (value: Value) => string,
  ): string[] {
    return readings.flatMap(({ key, rest }) => {
      if (isObject && typeof key === 'number') return [];
      const here = path + pathStep(key);
      if (rest.length === 0) return [found(this.#valueAt(object, here))];
      const direct = this.#places(object, here, rest, false, found);
      return [...direct, this.#inObjects(object, here, rest, found)];
    });
  }

  /** Whether the rest of a name is found in one of the objects of a list. */
  #inObjects(object: string, path: string, readings: readonly Step[], found: (value: Value) => string): string {
    return this.#someObject(object, path, (one) => joined(this.#places(one, '$', readings, true, found), 'OR'));
  }

  #someObject(object: string, path: string, holds: (one: string) => string): string {
    const list = this.#valueAt(object, path);
    const alias = this.#alias();
    return `(CASE ${list.type()} WHEN 'array' THEN EXISTS (SELECT 1 FROM ${list.elements()} ${alias} WHERE CASE ${alias}.type WHEN 'object' THEN ${holds(`${alias}.value`)} ELSE 0 END) ELSE 0 END)`;
  }

  #isNull(object: string, readings: readonly Step[]): string {
    const isNull = joined(this.#places(object, '$', readings, true, this.#testing({ test: 'null' })), 'OR');
    return `(${isNull} OR ${this.#lacks(object, readings)})`;
  }

  /** Whether a name reaches nothing in an object, or nothing in one of the objects of a list on the way. */
  #lacks(object: string, readings: readonly Step[]): string {
    const reached = joined(this.#places(object, '$', readings, true, this.#testing({ test: 'exists' })), 'OR');
    return joined([`(NOT ${reached})`, ...this.#lackingObjects(object, '$', readings, true)], 'OR');
  }

  #lackingObjects(object: string, path: string, readings: readonly Step[], isObject: boolean): string[] {
    return readings.flatMap(({ key, rest }) => {
      if (rest.length === 0 || (isObject && typeof key === 'number')) return [];
      const here = path + pathStep(key);
      const inList = this.#someObject(object, here, (one) => this.#lacks(one, rest));
      return [inList, ...this.#lackingObjects(object, here, rest, false)];
    });
  }

  /** 0 or 1. A list is tested itself, and by its elements. */
  #test(value: Value, test: ValueTest): string {
    switch (test.test) {
      case 'exists':
        return `(${value.type()} IS NOT NULL)`;
      case 'null':
      case 'equal':
      case 'member':
      case 'order': {
        const types = typesOf(test);
        return `(CASE WHEN ${value.type()} IN (${types}) THEN ${this.#compared(value.value, test)} WHEN ${value.type()} = 'array' THEN ${this.#inElements(value, types, test)} ELSE 0 END)`;
      }
      case 'list': {
        const list = JSON.stringify(test.value);
        const inner = this.#alias();
        return `(CASE ${value.type()} WHEN 'array' THEN ${value.value()} = ${this.#bind(list)} OR EXISTS (SELECT 1 FROM ${value.elements()} ${inner} WHERE ${inner}.type = 'array' AND ${inner}.value = ${this.#bind(list)}) ELSE 0 END)`;
      }
      case 'contains': {
        const equal: ScalarTest = test.value === null ? { test: 'null' } : { test: 'equal', value: test.value };
        const part = test.value;
        const inText = (): string => `WHEN 'text' THEN instr(${value.value()}, ${this.#bind(part as string)}) > 0`;
        return `(CASE ${value.type()} WHEN 'array' THEN ${this.#inElements(value, typesOf(equal), equal)} ${typeof part === 'string' ? inText() : ''} ELSE 0 END)`;
      }
      case 'size':
        return `(CASE ${value.type()} WHEN 'array' THEN ${value.size()} = ${this.#bind(test.size)} ELSE 0 END)`;
      case 'element': {
        const alias = this.#alias();
        const self = elementOf(alias);
        const holds = (): string => this.condition(test.of, { object: `${alias}.value`, self, negated: true });
        return `(CASE ${value.type()} WHEN 'array' THEN EXISTS (SELECT 1 FROM ${value.elements()} ${alias} WHERE ${test.objects ? `CASE ${alias}.type WHEN 'object' THEN ${holds()} ELSE 0 END` : holds()}) ELSE 0 END)`;
      }
    }
  }

  /** The test of a declared field, written as the expression of its index. */
  #indexedTest(path: string, test: ValueTest): string {
    const value = this.#valueAt('d.metadata', path, true);
    if (test.test !== 'equal' && test.test !== 'member' && test.test !== 'order') return this.#test(value, test);
    const types = typesOf(test);
    return `((${value.type()} IN (${types}) AND ${this.#compared(value.value, test)}) OR (${value.type()} = 'array' AND ${this.#inElements(value, types, test)}))`;
  }

  #inElements(value: Value, types: string, test: ScalarTest): string {
    const alias = this.#alias();
    return `EXISTS (SELECT 1 FROM ${value.elements()} ${alias} WHERE ${alias}.type IN (${types}) AND ${this.#compared(() => `${alias}.value`, test)})`;
  }

  /** Compares a value that is known to be of a type of the test. */
  #compared(found: () => string, test: ScalarTest): string {
    switch (test.test) {
      case 'null':
        return '1';
      case 'equal':
        return typeof test.value === 'boolean' ? '1' : `${found()} = ${this.#bind(numeric(test.value))}`;
      case 'order':
        return `${found()} ${test.sign} ${this.#bind(numeric(test.value))}`;
      case 'member':
        // All values are one JSON parameter, so a long list needs no longer statement.
        return `${found()} IN (SELECT value FROM json_each(${this.#bind(JSON.stringify(test.values))}))`;
    }
  }

  #valueAt(object: string, path: string, literal = false): Value {
    const at = (): string => `${object}, ${literal ? `'${path}'` : this.#bind(path)}`;
    return {
      type: () => `json_type(${at()})`,
      value: () => `json_extract(${at()})`,
      elements: () => `json_each(${at()})`,
      size: () => `json_array_length(${at()})`,
    };
  }

  #alias(): string {
    this.#aliases += 1;
    return `e${this.#aliases}`;
  }
}

type ScalarTest = Extract<ValueTest, { test: 'null' | 'equal' | 'member' | 'order' }>;

/** An element of a list, as json_each gives it: scalars are not JSON there. */
function elementOf(alias: string): Value {
  const list = `CASE ${alias}.type WHEN 'array' THEN ${alias}.value ELSE '[]' END`;
  return {
    type: () => `${alias}.type`,
    value: () => `${alias}.value`,
    elements: () => `json_each(${list})`,
    size: () => `json_array_length(${list})`,
  };
}

/** The types, as SQLite names them, of the values that can pass: it would order any number before any string. */
function typesOf(test: ScalarTest): string {
  if (test.test === 'null') return "'null'";
  const value = test.test === 'member' ? test.values[0] : test.value;
  if (typeof value === 'boolean') return `'${value}'`;
  return typeof value === 'string' ? "'text'" : "'integer', 'real'";
}

/**
 * A number as SQLite reads it in JSON. SQLite keeps 64-bit integers exactly, so from 2^53 on the shortest decimal
 * digits of a JavaScript number are not the digits that it compares with.
 */
function numeric(value: string | number): string | number | bigint {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const json = JSON.stringify(value);
  if (!/^-?\d+$/.test(json)) return value;
  const integer = BigInt(json);
  return integer === BigInt.asIntN(64, integer) ? integer : value;
}

/** A step of a JSON path of SQLite. Keys are quoted, so special characters have no meaning. */
function pathStep(key: string | number): string {
  return typeof key === 'number' ? `[${key}]` : `.${JSON.stringify(key)}`;
}

/** Joins as a balanced tree: SQLite limits the depth of an expression. */
function joined(parts: readonly string[], connective: 'AND' | 'OR'): string {
  if (parts.length === 0) return connective === 'AND' ? '1' : '0';
  if (parts.length === 1) return parts[0] as string;
  const half = parts.length >> 1;
  return `(${joined(parts.slice(0, half), connective)} ${connective} ${joined(parts.slice(half), connective)})`;
}
