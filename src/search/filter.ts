import { SemanticIndexError } from '../errors.js';
import { describe, suggestName } from '../options.js';
import type { FieldConditions, FilterValue, Where } from '../types.js';

/** A condition over the row `d` of documents: SQL of our own making, and what the caller gave as bound parameters. */
export interface CompiledFilter {
  readonly sql: string;
  readonly parameters: (string | number)[];
}

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
  '$not',
] as const;
const logicalOperators = ['$and', '$or', '$not'] as const;
const comparisons = { $gt: '>', $gte: '>=', $lt: '<', $lte: '<=' } as const;
// JSON writes these with an escape, which a path of SQLite does not undo.
const unquotable = /["\\\p{Cc}]/u;
const maxDepth = 32;
const maxList = 500;

/** What is passed down while a filter is compiled. */
interface Context {
  readonly parameters: (string | number)[];
  /** Names of fields that have an SQL index. */
  readonly indexed: ReadonlySet<string>;
  readonly depth: number;
  /**
   * Whether the condition stands below a $not. There it must be 0 or 1, never null, so that negation means what it says;
   * elsewhere null is as good as 0, and only a bare comparison can use an index.
   */
  readonly negated: boolean;
}

/**
 * Compiles a filter to SQL. Every value and every path of the caller becomes a bound parameter, so nothing of it is ever
 * read as SQL. Only declared fields stand in the text, for SQLite finds an index by its words; their names are letters, digits
 * and underscores, see `indexedField`.
 *
 * @throws INVALID_FILTER for an unknown operator, a value of a wrong type, or more than 32 levels.
 */
export function compileFilter(where: Where, indexed: ReadonlySet<string> = new Set()): CompiledFilter {
  const parameters: (string | number)[] = [];
  const sql = compileWhere(where, { parameters, indexed, depth: 0, negated: false });
  return { sql, parameters };
}

/** The JSON path of a field that can have an index, or undefined when its name is not plain enough to stand in SQL. */
export function indexedField(name: string): string | undefined {
  return /^[A-Za-z_]\w{0,63}(?:\.[A-Za-z_]\w{0,63}){0,7}$/.test(name) ? jsonPath(name) : undefined;
}

function deeper(context: Context, negated = context.negated): Context {
  return { ...context, depth: context.depth + 1, negated };
}

/** A path where SQL wants one: as it is where the field has an index, else bound. */
function pathIn({ parameters, indexed }: Context, name: string): string {
  const literal = indexed.has(name) ? indexedField(name) : undefined;
  if (literal !== undefined) return `'${literal}'`;
  parameters.push(jsonPath(name));
  return '?';
}

/** 0 or 1 where that matters. */
function decided({ negated }: Context, sql: string): string {
  return negated ? `coalesce(${sql}, 0)` : `(${sql})`;
}

function compileWhere(where: unknown, context: Context): string {
  if (!isPlainObject(where)) throw invalid(`a filter must be an object, got ${describe(where)}`);
  if (context.depth > maxDepth) throw invalid(`a filter may be nested ${maxDepth} levels deep at most`);
  const parts = Object.entries(where).flatMap(([name, value]) => {
    if (value === undefined) return [];
    if (name === '$and' || name === '$or') return [compileList(name, value, context)];
    if (name === '$not') return [`NOT ${compileWhere(value, deeper(context, true))}`];
    if (name.startsWith('$')) throw unknownOperator(name, logicalOperators);
    return [compileField(name, value, context)];
  });
  return parts.length === 0 ? '1' : `(${parts.join(' AND ')})`;
}

function compileList(name: '$and' | '$or', list: unknown, context: Context): string {
  if (!Array.isArray(list)) throw invalid(`${name} takes an array of filters, got ${describe(list)}`);
  if (list.length === 0) return name === '$and' ? '1' : '0';
  if (list.length > maxList) {
    throw invalid(
      `${name} takes at most ${maxList} filters, got ${list.length}`,
      'Use $in for many values of one field.',
    );
  }
  return `(${list.map((item) => compileWhere(item, deeper(context))).join(name === '$and' ? ' AND ' : ' OR ')})`;
}

function compileField(name: string, value: unknown, context: Context): string {
  jsonPath(name);
  if (isFilterValue(value)) return compileEqual(name, value, context);
  if (!isPlainObject(value)) {
    throw invalid(
      `field "${name}" is compared with ${describe(value)}`,
      'Compare with a string, number, boolean or null.',
    );
  }
  const conditions = Object.entries(value).filter(([, operand]) => operand !== undefined);
  if (conditions.length === 0) throw invalid(`field "${name}" has no condition`);
  return `(${conditions.map(([operator, operand]) => compileCondition(name, operator, operand, context)).join(' AND ')})`;
}

function compileCondition(name: string, operator: string, operand: unknown, context: Context): string {
  const under = deeper(context, true);
  switch (operator as keyof FieldConditions) {
    case '$eq':
      return compileEqual(name, filterValue(operator, operand), context);
    case '$ne':
      return `NOT ${compileEqual(name, filterValue(operator, operand), under)}`;
    case '$in':
      return compileIn(name, operator, operand, context);
    case '$nin':
      return `NOT ${compileIn(name, operator, operand, under)}`;
    case '$gt':
    case '$gte':
    case '$lt':
    case '$lte':
      return compileComparison(name, operator as keyof typeof comparisons, operand, context);
    case '$exists':
      if (typeof operand !== 'boolean') throw invalid(`$exists takes true or false, got ${describe(operand)}`);
      return `(json_type(d.metadata, ${pathIn(context, name)}) IS ${operand ? 'NOT ' : ''}NULL)`;
    case '$contains':
      return compileContains(name, filterValue(operator, operand), context);
    case '$not':
      if (!isPlainObject(operand)) throw invalid(`$not takes conditions, got ${describe(operand)}`);
      if (context.depth > maxDepth) throw invalid(`a filter may be nested ${maxDepth} levels deep at most`);
      return `NOT ${compileField(name, operand, under)}`;
    default:
      throw unknownOperator(operator, fieldOperators);
  }
}

function compileEqual(name: string, value: FilterValue, context: Context): string {
  if (value === null) return `(coalesce(json_type(d.metadata, ${pathIn(context, name)}), 'null') = 'null')`;
  if (typeof value === 'boolean') {
    return decided(context, `json_type(d.metadata, ${pathIn(context, name)}) = '${value ? 'true' : 'false'}'`);
  }
  return typedCondition(name, value, '=', context);
}

function compileIn(name: string, operator: string, list: unknown, context: Context): string {
  if (!Array.isArray(list)) throw invalid(`${operator} takes an array, got ${describe(list)}`);
  if (list.length === 0) return '0';
  const values = list.map((item) => filterValue(operator, item));
  const byType = [
    typedMembership(
      name,
      "'text'",
      values.filter((value) => typeof value === 'string'),
      context,
    ),
    typedMembership(
      name,
      "'integer', 'real'",
      values.filter((value) => typeof value === 'number'),
      context,
    ),
    ...[true, false, null].filter((value) => values.includes(value)).map((value) => compileEqual(name, value, context)),
  ];
  return `(${byType.filter((sql) => sql !== '').join(' OR ')})`;
}

/** The values travel as one JSON parameter, so a long list costs no more than a short one. */
function typedMembership(name: string, types: string, values: FilterValue[], context: Context): string {
  if (values.length === 0) return '';
  const type = `json_type(d.metadata, ${pathIn(context, name)}) IN (${types})`;
  const value = `json_extract(d.metadata, ${pathIn(context, name)})`;
  context.parameters.push(JSON.stringify(values));
  return decided(context, `${type} AND ${value} IN (SELECT value FROM json_each(?))`);
}

function compileComparison(
  name: string,
  operator: keyof typeof comparisons,
  operand: unknown,
  context: Context,
): string {
  if (typeof operand !== 'string' && typeof operand !== 'number') {
    throw invalid(`${operator} compares with a string or a number, got ${describe(operand)}`);
  }
  return typedCondition(name, filterValue(operator, operand) as string | number, comparisons[operator], context);
}

/** Compares only values of the operand's own type: SQLite would order any number before any string. */
function typedCondition(name: string, value: string | number, sign: string, context: Context): string {
  const types = typeof value === 'string' ? "'text'" : "'integer', 'real'";
  const type = `json_type(d.metadata, ${pathIn(context, name)}) IN (${types})`;
  const found = `json_extract(d.metadata, ${pathIn(context, name)})`;
  context.parameters.push(value);
  return decided(context, `${type} AND ${found} ${sign} ?`);
}

function compileContains(name: string, value: FilterValue, context: Context): string {
  // Only an array is looked through: json_each of anything else yields the value itself or the members of an object.
  const { parameters } = context;
  const path = jsonPath(name);
  parameters.push(path, path);
  let element = `e.type = '${String(value)}'`;
  if (typeof value === 'string' || typeof value === 'number') {
    element = `e.type IN (${typeof value === 'string' ? "'text'" : "'integer', 'real'"}) AND e.value = ?`;
    parameters.push(value);
  }
  const inArray = `(coalesce(json_type(d.metadata, ?), '') = 'array' AND EXISTS (SELECT 1 FROM json_each(d.metadata, ?) e WHERE ${element}))`;
  if (typeof value !== 'string') return inArray;
  parameters.push(path, path, value);
  return `(${inArray} OR coalesce(json_type(d.metadata, ?) = 'text' AND instr(json_extract(d.metadata, ?), ?) > 0, 0))`;
}

/** The path of a field name with dots, as JSON path: each step quoted, so that it is a name and nothing else. */
function jsonPath(name: string): string {
  if (name === '') throw invalid('a field has an empty name');
  const steps = name.split('.');
  if (steps.some((step) => step === '' || unquotable.test(step) || !step.isWellFormed())) {
    throw invalid(`"${name}" is not a field name`, 'Steps of a path are not empty and hold no quotes or backslashes.');
  }
  return `$${steps.map((step) => (/^\d+$/.test(step) ? `[${step}]` : `."${step}"`)).join('')}`;
}

function filterValue(operator: string, value: unknown): FilterValue {
  if (isFilterValue(value)) return value;
  throw invalid(`${operator} takes a string, number, boolean or null, got ${describe(value)}`);
}

function isFilterValue(value: unknown): value is FilterValue {
  return value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value);
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unknownOperator(name: string, known: readonly string[]): SemanticIndexError {
  const meant = suggestName(name, known);
  return invalid(
    `unknown operator ${name}`,
    meant === undefined ? `Operators here: ${known.join(', ')}.` : `Did you mean ${meant}?`,
  );
}

function invalid(message: string, hint?: string): SemanticIndexError {
  return new SemanticIndexError('INVALID_FILTER', `where: ${message}`, hint === undefined ? {} : { hint });
}
