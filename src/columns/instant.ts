import type { Scalar } from '../backend/filter-tree.js';

const isoDate = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})?)?$/;

/**
 * A number as it is, and a date in ISO 8601 as milliseconds since 1970; NaN for anything else. A time without a zone is in UTC,
 * so results do not depend on the machine.
 */
export function instantOf(value: Scalar): number {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string' || !isoDate.test(value)) return Number.NaN;
  const isZoned = value.length === 10 || value.endsWith('Z') || /[+-]\d{2}:\d{2}$/.test(value.slice(16));
  return Date.parse(isZoned ? value : `${value}Z`);
}
