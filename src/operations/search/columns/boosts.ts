import type { Field, FilterTree } from '../../../backend/filter-tree.js';
import type { RankBoost } from '../../../backend/read-snapshot.js';
import { dateHint, instantOf } from '../../../columns/instant.js';
import { SemanticIndexError } from '../../../errors.js';
import { type Boost, describe, resolveOptions } from '../../../options.js';
import type { SearchFilters } from '../search-filters.js';
import { fieldNamed } from './field-names.js';

/** Boosts after validation. */
export interface BoostPlan {
  readonly boosts: readonly RankBoost[];
  readonly fields: readonly Field[];
  readonly filters: readonly FilterTree[];
}

const maxBoosts = 16;
const maxFactor = 1e6;
const milliseconds = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000, y: 31_557_600_000 } as const;
const forms = "{ field, halfLife: '30d' }, { field, scale, factor } or { where, factor }";

/** Checks boosts. @throws INVALID_ARGUMENT, INVALID_FILTER, UNKNOWN_OPTION. */
export async function planBoosts(checked: SearchFilters, given: readonly Boost[], now: number): Promise<BoostPlan> {
  if (!Array.isArray(given) || given.length === 0 || given.length > maxBoosts) {
    throw refused(`expected 1 to ${maxBoosts} boosts as boost, got ${describe(given)}`);
  }
  const boosts: RankBoost[] = [];
  const fields = new Map<string, Field>();
  const filters: FilterTree[] = [];
  for (const [place, boost] of (given as readonly unknown[]).entries()) {
    const at = `boost[${place}]`;
    const { field: name, halfLife, now: then, scale, factor, where } = members(at, boost);
    if (where !== undefined) {
      if (name !== undefined || halfLife !== undefined || scale !== undefined || then !== undefined) {
        throw refused(`expected where and factor alone as ${at}, got ${describe(boost)}`);
      }
      boosts.push({ by: 'filter', filter: filters.length, factor: factorOf(at, factor) });
      filters.push(await checked.parse(where));
      continue;
    }
    const field = fieldNamed('search', `${at}.field`, name);
    fields.set(field.name, field);
    if (halfLife !== undefined) {
      if (scale !== undefined || factor !== undefined) {
        throw refused(`expected halfLife or scale and factor as ${at}, got both`);
      }
      const instant = then === undefined ? now : nowOf(at, then);
      boosts.push({ by: 'decay', field: field.name, halfLife: durationOf(at, halfLife), now: instant });
    } else {
      if (then !== undefined) throw refused(`expected now with halfLife in ${at}, got now alone`);
      if (typeof scale !== 'number' || !(scale > 0) || !Number.isFinite(scale)) {
        throw refused(`expected a finite number above 0 as ${at}.scale, got ${describe(scale)}`);
      }
      boosts.push({ by: 'saturation', field: field.name, scale, factor: factorOf(at, factor) });
    }
  }
  return { boosts, fields: [...fields.values()], filters };
}

const unset = {
  field: undefined,
  halfLife: undefined,
  now: undefined,
  scale: undefined,
  factor: undefined,
  where: undefined,
};

/** The members of a boost, which is not copied: that took as long as the rest of its plan. */
function members(at: string, boost: unknown): Readonly<Record<string, unknown>> {
  if (typeof boost !== 'object' || boost === null) throw refused(`expected a boost as ${at}, got ${describe(boost)}`);
  const given = boost as Readonly<Record<string, unknown>>;
  const { where } = given;
  const isPlain = !Array.isArray(boost) && (where === undefined || (typeof where === 'object' && where !== null));
  if (isPlain && Object.keys(given).every((name) => Object.hasOwn(unset, name))) return given;
  return resolveOptions(`search: ${at}`, given, unset);
}

function factorOf(at: string, factor: unknown): number {
  if (typeof factor === 'number' && factor >= 0 && factor <= maxFactor) return factor;
  throw refused(`expected a number from 0 to ${maxFactor} as ${at}.factor, got ${describe(factor)}`);
}

function durationOf(at: string, duration: unknown): number {
  const parts = typeof duration === 'string' ? /^(\d+(?:\.\d+)?)\s*([smhdwy])$/.exec(duration) : null;
  const unit = milliseconds[(parts?.[2] ?? 's') as keyof typeof milliseconds];
  const length = parts === null ? duration : Number(parts[1]) * unit;
  if (typeof length === 'number' && length > 0 && Number.isFinite(length)) return length;
  throw refused(`expected milliseconds or a duration such as '30d' as ${at}.halfLife, got ${describe(duration)}`);
}

function nowOf(at: string, given: unknown): number {
  const instant = given instanceof Date ? given.getTime() : typeof given === 'string' ? instantOf(given) : given;
  if (typeof instant === 'number' && Number.isFinite(instant)) return instant;
  throw refused(`expected a date, a string in ISO 8601 or milliseconds as ${at}.now, got ${describe(given)}`, dateHint);
}

function refused(what: string, hint = `Pass boosts such as ${forms}.`): SemanticIndexError {
  return new SemanticIndexError('INVALID_ARGUMENT', `search: ${what}`, { hint });
}
