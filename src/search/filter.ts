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

/**
 * Compiles a filter to SQL. Every value and every path of the caller becomes a bound parameter, so nothing of it is ever
 * read as SQL. The result of each condition is 0 or 1, never null, so that negation means what it says.
 *
 * @throws INVALID_FILTER for an unknown operator, a value of a wrong type, or more than 32 levels.
 */
export function compileFilter(where: Where): CompiledFilter {
  const parameters: (string | number)[] = [];
  const sql = compileWhere(where, parameters, 0);
  return { sql, parameters };
}

function compileWhere(where: unknown, parameters: (string | number)[], depth: number): string {
  if (!isPlainObject(where)) throw invalid(`a filter must be an object, got ${describe(where)}`);
  if (depth > maxDepth) throw invalid(`a filter may be nested ${maxDepth} levels deep at most`);
  const parts = Object.entries(where).flatMap(([name, value]) => {
    if (value === undefined) return [];
    if (name === '$and' || name === '$or') return [compileList(name, value, parameters, depth)];
    if (name === '$not') return [`NOT ${compileWhere(value, parameters, depth + 1)}`];
    if (name.startsWith('$')) throw unknownOperator(name, logicalOperators);
    return [compileField(name, value, parameters, depth)];
  });
  return parts.length === 0 ? '1' : `(${parts.join(' AND ')})`;
}

function compileList(name: '$and' | '$or', list: unknown, parameters: (string | number)[], depth: number): string {
  if (!Array.isArray(list)) throw invalid(`${name} takes an array of filters, got ${describe(list)}`);
  if (list.length === 0) return name === '$and' ? '1' : '0';
  if (list.length > maxList) {
    throw invalid(
      `${name} takes at most ${maxList} filters, got ${list.length}`,
      'Use $in for many values of one field.',
    );
  }
  return `(${list.map((item) => compileWhere(item, parameters, depth + 1)).join(name === '$and' ? ' AND ' : ' OR ')})`;
}

function compileField(name: string, value: unknown, parameters: (string | number)[], depth: number): string {
  const path = jsonPath(name);
  if (isFilterValue(value)) return compileEqual(path, value, parameters);
  if (!isPlainObject(value)) {
    throw invalid(
      `field "${name}" is compared with ${describe(value)}`,
      'Compare with a string, number, boolean or null.',
    );
  }
  const conditions = Object.entries(value).filter(([, operand]) => operand !== undefined);
  if (conditions.length === 0) throw invalid(`field "${name}" has no condition`);
  return `(${conditions.map(([operator, operand]) => compileCondition(name, operator, operand, parameters, depth)).join(' AND ')})`;
}

function compileCondition(
  name: string,
  operator: string,
  operand: unknown,
  parameters: (string | number)[],
  depth: number,
): string {
  const path = jsonPath(name);
  switch (operator as keyof FieldConditions) {
    case '$eq':
      return compileEqual(path, filterValue(operator, operand), parameters);
    case '$ne':
      return `NOT ${compileEqual(path, filterValue(operator, operand), parameters)}`;
    case '$in':
      return compileIn(path, operator, operand, parameters);
    case '$nin':
      return `NOT ${compileIn(path, operator, operand, parameters)}`;
    case '$gt':
    case '$gte':
    case '$lt':
    case '$lte':
      return compileComparison(path, operator as keyof typeof comparisons, operand, parameters);
    case '$exists':
      if (typeof operand !== 'boolean') throw invalid(`$exists takes true or false, got ${describe(operand)}`);
      parameters.push(path);
      return `(json_type(d.metadata, ?) IS ${operand ? 'NOT ' : ''}NULL)`;
    case '$contains':
      return compileContains(path, filterValue(operator, operand), parameters);
    case '$not':
      if (!isPlainObject(operand)) throw invalid(`$not takes conditions, got ${describe(operand)}`);
      if (depth > maxDepth) throw invalid(`a filter may be nested ${maxDepth} levels deep at most`);
      return `NOT ${compileField(name, operand, parameters, depth + 1)}`;
    default:
      throw unknownOperator(operator, fieldOperators);
  }
}

function compileEqual(path: string, value: FilterValue, parameters: (string | number)[]): string {
  if (value === null) {
    parameters.push(path);
    return `(coalesce(json_type(d.metadata, ?), 'null') = 'null')`;
  }
  if (typeof value === 'boolean') {
    parameters.push(path);
    return `(coalesce(json_type(d.metadata, ?), '') = '${value ? 'true' : 'false'}')`;
  }
  return typedCondition(path, value, '=', parameters);
}

function compileIn(path: string, operator: string, list: unknown, parameters: (string | number)[]): string {
  if (!Array.isArray(list)) throw invalid(`${operator} takes an array, got ${describe(list)}`);
  if (list.length === 0) return '0';
  const values = list.map((item) => filterValue(operator, item));
  const byType = [
    typedMembership(
      path,
      "'text'",
      values.filter((value) => typeof value === 'string'),
      parameters,
    ),
    typedMembership(
      path,
      "'integer', 'real'",
      values.filter((value) => typeof value === 'number'),
      parameters,
    ),
    ...[true, false, null]
      .filter((value) => values.includes(value))
      .map((value) => compileEqual(path, value, parameters)),
  ];
  return `(${byType.filter((sql) => sql !== '').join(' OR ')})`;
}

/** The values travel as one JSON parameter, so a long list costs no more than a short one. */
function typedMembership(path: string, types: string, values: FilterValue[], parameters: (string | number)[]): string {
  if (values.length === 0) return '';
  parameters.push(path, path, JSON.stringify(values));
  return `coalesce(json_type(d.metadata, ?) IN (${types}) AND json_extract(d.metadata, ?) IN (SELECT value FROM json_each(?)), 0)`;
}

function compileComparison(
  path: string,
  operator: keyof typeof comparisons,
  operand: unknown,
  parameters: (string | number)[],
): string {
  if (typeof operand !== 'string' && typeof operand !== 'number') {
    throw invalid(`${operator} compares with a string or a number, got ${describe(operand)}`);
  }
  return typedCondition(path, filterValue(operator, operand) as string | number, comparisons[operator], parameters);
}

/** Compares only values of the operand's own type: SQLite would order any number before any string. */
function typedCondition(path: string, value: string | number, sign: string, parameters: (string | number)[]): string {
  const types = typeof value === 'string' ? "'text'" : "'integer', 'real'";
  parameters.push(path, path, value);
  return `coalesce(json_type(d.metadata, ?) IN (${types}) AND json_extract(d.metadata, ?) ${sign} ?, 0)`;
}

function compileContains(path: string, value: FilterValue, parameters: (string | number)[]): string {
  // Only an array is looked through: json_each of anything else yields the value itself or the members of an object.
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
