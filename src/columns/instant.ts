import type { Scalar } from '../backend/filter-tree.js';

/** Next step where a date was refused. */
export const dateHint =
  "Pass a day that its month has, such as '2026-01-31', or a time such as '2026-01-31T12:30:00Z'.";

const isoDate = /^(\d{4})-(\d{2})-(\d{2})(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})?)?$/;

/**
 * A number as it is, and a date in ISO 8601 as milliseconds since 1970; NaN for anything else, also for a day that its month does not
 * have. A time without a zone is in UTC, so results do not depend on the machine.
 */
export function instantOf(value: Scalar): number {
  if (typeof value === 'number') return value;
  const [, year, month, day] = (typeof value === 'string' && isoDate.exec(value)) || [];
  if (day === undefined || !hasDay(Number(year), Number(month), Number(day))) return Number.NaN;
  const date = value as string;
  const isZoned = date.length === 10 || date.endsWith('Z') || /[+-]\d{2}:\d{2}$/.test(date.slice(16));
  return Date.parse(isZoned ? date : `${date}Z`);
}

/** Date.parse takes February 31 for March 3. */
function hasDay(year: number, month: number, day: number): boolean {
  if (day <= 28) return true;
  if (month !== 2) return day <= 30 || ![4, 6, 9, 11].includes(month);
  return day === 29 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}
