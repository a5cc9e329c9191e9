import { InvalidArgumentError } from 'commander';
import type { Boost } from '../../index.js';
import { condition } from './where-condition.js';

const usage =
  'Expected FIELD:HALFLIFE (date:30d), FIELD:SCALE:FACTOR (stars:10:2), CONDITION*FACTOR (lang=en*1.5), or JSON';

/** Parses a boost; several are all applied. @throws InvalidArgumentError when it has another form. */
export function boostArgument(text: string, before: readonly Boost[] | undefined): readonly Boost[] {
  return [...(before ?? []), parse(text)];
}

function parse(text: string): Boost {
  if (text.trimStart().startsWith('{')) {
    try {
      return JSON.parse(text) as Boost;
    } catch (error) {
      throw new InvalidArgumentError(`It is not JSON: ${(error as Error).message}`);
    }
  }
  const filtered = /^(.*[=<>].*)\*([\d.]+)$/s.exec(text);
  if (filtered !== null) return { where: condition(filtered[1] as string, undefined), factor: Number(filtered[2]) };
  const [field = '', first = '', second, ...others] = text.split(':');
  if (field === '' || first === '' || others.length > 0) throw new InvalidArgumentError(`${usage}, got ${text}.`);
  if (second !== undefined) return { field, scale: Number(first), factor: Number(second) };
  return { field, halfLife: /^\d+$/.test(first) ? Number(first) : first };
}

/** Parses FIELD or FIELD:asc or FIELD:desc. */
export function sortArgument(text: string): { field: string; order: 'asc' | 'desc' } {
  const [, field = '', order = 'asc'] = /^(.+?)(?::(asc|desc))?$/s.exec(text) ?? [];
  if (field === '') throw new InvalidArgumentError(`Expected FIELD, FIELD:asc or FIELD:desc, got ${text}.`);
  return { field, order: order as 'asc' | 'desc' };
}
