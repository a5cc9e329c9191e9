import type { NativeBoost, NativeBoosts } from '../../../addon/native-search.js';
import type { RankBoost } from '../../../backend/read-snapshot.js';
import type { FieldColumn, ItemInstants, LeveledInstants } from '../../../columns/field-column.js';
import type { ColumnsReading } from '../metadata-columns.js';

/** Bounds of factors are larger by this share than they are computed: the kernel may round another way. */
const margin = 1e-9;

/** Boosts for the native search of a snapshot with so many parts. */
export async function nativeBoosts(
  boosts: readonly RankBoost[],
  columns: ColumnsReading | undefined,
  parts: number,
  signal: AbortSignal | undefined,
): Promise<NativeBoosts> {
  const greatest = new Float64Array(parts).fill(1);
  const none: readonly undefined[] = new Array(parts).fill(undefined);
  const native: NativeBoost[] = [];
  for (const boost of boosts) {
    if (boost.by === 'filter') {
      const sets = columns?.matching[boost.filter] ?? [];
      native.push({ kind: 2, scale: 1, operand: boost.factor, values: none, levels: none, limits: none, sets });
      for (let part = 0; part < parts; part++) multiply(greatest, part, Math.max(1, boost.factor));
      continue;
    }
    const instants: LeveledInstants[] = [];
    const columnsOfParts = columns?.fields.get(boost.field) ?? [];
    for (let part = 0; part < columnsOfParts.length; part++) {
      const column = columnsOfParts[part] as FieldColumn;
      const own = column.knownLeveledInstants ?? (await column.leveledInstants(signal));
      instants.push(own);
      multiply(greatest, part, boundOf(boost, own));
    }
    native.push({
      ...(boost.by === 'decay'
        ? { kind: 0, scale: boost.halfLife, operand: boost.now }
        : { kind: 1, scale: boost.scale, operand: boost.factor }),
      values: instants.map(({ ofItems }) => ofItems),
      levels: instants.map(({ levels }) => levels.ofItems),
      limits: instants.map(({ levels }) => levels.limits),
      sets: none,
    });
  }
  return { boosts: native, greatest };
}

function multiply(greatest: Float64Array, part: number, factor: number): void {
  greatest[part] = (greatest[part] as number) * factor * (1 + margin);
}

/** No item of a part has a larger factor. */
function boundOf(boost: Exclude<RankBoost, { by: 'filter' }>, { greatest, lacksSome }: ItemInstants): number {
  if (boost.by === 'decay') {
    return lacksSome ? 1 : 2 ** (-Math.max(0, boost.now - greatest) / boost.halfLife);
  }
  if (boost.factor <= 1 || !(greatest > 0)) return 1;
  return 1 + (boost.factor - 1) * (greatest / (greatest + boost.scale));
}
