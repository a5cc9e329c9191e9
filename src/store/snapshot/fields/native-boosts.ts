import type { NativeBoost, NativeBoosts, NativeItemNumbers } from '../../../addon/native-search.js';
import type { RankBoost } from '../../../backend/read-snapshot.js';
import type { FieldColumn, ItemInstants, LeveledInstants } from '../../../columns/field-column.js';
import type { ColumnsReading } from '../metadata-columns.js';

/** Bounds of factors are larger by this share than they are computed: the kernel may round another way. */
const margin = 1e-9;

/** Numbers as the kernel reads them: searches pass the same again and again. */
const packed = new WeakMap<LeveledInstants, NativeItemNumbers>();

/** Boosts for the native search of a snapshot with so many parts. */
export async function nativeBoosts(
  boosts: readonly RankBoost[],
  columns: ColumnsReading | undefined,
  parts: number,
  signal: AbortSignal | undefined,
): Promise<NativeBoosts> {
  const greatest = new Float64Array(parts).fill(1);
  const native: NativeBoost[] = [];
  for (const boost of boosts) {
    if (boost.by === 'filter') {
      native.push([2, 1, boost.factor, columns?.matching[boost.filter] ?? []]);
      for (let part = 0; part < parts; part++) multiply(greatest, part, Math.max(1, boost.factor));
      continue;
    }
    const numbers: NativeItemNumbers[] = [];
    const columnsOfParts = columns?.fields.get(boost.field) ?? [];
    for (let part = 0; part < columnsOfParts.length; part++) {
      const column = columnsOfParts[part] as FieldColumn;
      const own = column.knownLeveledInstants ?? (await column.leveledInstants(signal));
      numbers.push(numbersOf(own));
      multiply(greatest, part, boundOf(boost, own));
    }
    if (boost.by === 'decay') native.push([0, boost.halfLife, boost.now, numbers]);
    else native.push([1, boost.scale, boost.factor, numbers]);
  }
  return [native, greatest];
}

function numbersOf(instants: LeveledInstants): NativeItemNumbers {
  let numbers = packed.get(instants);
  if (numbers === undefined) {
    numbers = [instants.ofItems, instants.levels.ofItems, instants.levels.limits];
    packed.set(instants, numbers);
  }
  return numbers;
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
