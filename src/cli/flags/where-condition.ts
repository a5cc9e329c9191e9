import { InvalidArgumentError } from 'commander';
import type { FilterValue, Where } from '../../index.js';

const operators = { '=': '$eq', '!=': '$ne', '>': '$gt', '>=': '$gte', '<': '$lt', '<=': '$lte' } as const;

type Operator = keyof typeof operators;

const usage =
  'Expected FIELD=VALUE, with =, !=, >, >=, < or <=, or JSON such as {"year":{"$lt":1900}}; a value that begins with one of these signs needs JSON.';

/**
 * Parses a condition, `lang=en`, `year>=1900`, or JSON as in `{"year":{"$lt":1900}}`; several must all hold. A value that is JSON
 * is meant as that and as the text that it is: `release=1.10` finds the number 1.1 and the text "1.10".
 *
 * @throws InvalidArgumentError for an operator that is not known, and for what is not JSON.
 */
export function condition(text: string, before: Where | undefined): Where {
  const parsed = text.trimStart().startsWith('{') ? parseJson(text) : parseComparison(text);
  return before === undefined ? parsed : { $and: [before, parsed] };
}

function parseJson(text: string): Where {
  try {
    return JSON.parse(text) as Where;
  } catch (error) {
    throw new InvalidArgumentError(`It is not JSON: ${(error as Error).message}`);
  }
}

function parseComparison(text: string): Where {
  const [, name = '', sign = '', written = ''] = /^([^=!<>]*)([=!<>]+)(.*)$/s.exec(text) ?? [];
  const field = name.trim();
  // What stands before the sign may be half of one that other languages have: ~=, *=, ^=.
  const half = /[~*^$|&+:?%-]$/.exec(field)?.[0] ?? '';
  if (!isOperator(sign) || field === '' || half !== '') {
    throw new InvalidArgumentError(
      sign === '' || field === '' ? usage : `There is no operator ${half}${sign}. ${usage}`,
    );
  }
  const value = written.trim();
  return comparison(field, sign, value);
}

function isOperator(sign: string): sign is Operator {
  return Object.hasOwn(operators, sign);
}

function comparison(field: string, sign: Operator, written: string): Where {
  const value = meaningOf(written);
  const name = operators[sign];
  const test = (one: FilterValue): Where => ({ [field]: { [name]: one } }) as Where;
  if (sign === '=' || sign === '!=') {
    if (typeof value === 'string' && value === written) return sign === '=' ? { [field]: value } : test(value);
    // Quoted values, arrays and objects are meant as JSON.
    if (typeof value === 'string' || (typeof value === 'object' && value !== null)) {
      return sign === '=' ? ({ [field]: value } as Where) : test(value as FilterValue);
    }
    const both = [{ [field]: value } as Where, { [field]: written } as Where];
    return sign === '=' ? { $or: both } : { $and: [test(value as FilterValue), test(written)] };
  }
  if (typeof value !== 'number') {
    if (typeof value === 'string') return test(value);
    throw new InvalidArgumentError(`Expected a number or a text behind ${sign}, got ${written}.`);
  }
  // Dates are texts that begin with the year, and are compared as such.
  return /^[12]\d{3}$/.test(written) ? { $or: [test(value), test(written)] } : test(value);
}

function meaningOf(written: string): unknown {
  if (/^(?:true|false)$/i.test(written)) return written.toLowerCase() === 'true';
  try {
    return JSON.parse(written);
  } catch {
    return written;
  }
}
