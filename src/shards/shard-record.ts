import { analysisSettingName, englishSetting } from '../analysis/text-analysis.js';
import type { Backend } from '../backend/backend.js';
import { SemanticIndexError } from '../errors.js';

/** Setting of each shard that says of which index it is which part. */
const settingName = 'shard';

/** Which part of which index a backend is. */
interface ShardRecord {
  /** The same in all shards of an index, and in no other ones. */
  readonly index: string;
  readonly place: number;
  readonly shards: number;
}

async function readRecord(backend: Backend): Promise<ShardRecord | undefined> {
  const value = await backend.settings.get(settingName);
  return value === undefined ? undefined : (JSON.parse(String(value)) as ShardRecord);
}

/**
 * Makes backends shards of one index, or checks that they are, in this order. The first one decides: an index whose creation was
 * interrupted is completed.
 *
 * @throws INVALID_ARGUMENT when they are not.
 */
export async function joinShards(backends: readonly Backend[], readonly: boolean): Promise<void> {
  const records = await Promise.all(backends.map((backend) => readRecord(backend)));
  const index = records[0]?.index ?? globalThis.crypto.randomUUID();
  const expected = backends.map((_, place): ShardRecord => ({ index, place, shards: backends.length }));
  for (const [place, record] of records.entries()) {
    const wanted = expected[place] as ShardRecord;
    const isWanted = record?.index === index && record.place === place && record.shards === wanted.shards;
    if (record !== undefined && !isWanted) throw otherShard(place, record, wanted);
    if (record === undefined && (await (backends[place] as Backend).count()) > 0) {
      throw new SemanticIndexError('INVALID_ARGUMENT', `Shard ${place} has documents of an index without shards`, {
        hint: 'Copy that index into a new one with shards: `copyIndex`.',
      });
    }
  }
  if (!records.includes(undefined)) return;
  if (readonly) {
    throw new SemanticIndexError('NOT_AN_INDEX', 'The shards were not made yet', {
      hint: 'Open the index once without `readonly`.',
    });
  }
  for (const [place, backend] of backends.entries()) {
    if (records[place] === undefined) await backend.settings.set(settingName, JSON.stringify(expected[place]));
  }
  // Two addresses may be of one database, which then has the record of the last one.
  const [first] = await Promise.all(backends.map((backend) => readRecord(backend)));
  if (first?.place !== 0) {
    throw new SemanticIndexError('INVALID_ARGUMENT', 'Two shards are the same index', {
      hint: 'Give them other names, or other databases. Remove the one that was made just now.',
    });
  }
}

/** @throws INVALID_ARGUMENT when shards analyze words differently, as a change of the language was interrupted between two of them. */
export async function checkAnalysis(backends: readonly Backend[]): Promise<void> {
  const settings = await Promise.all(backends.map(({ settings }) => settings.get(analysisSettingName)));
  if (new Set(settings.map((setting) => setting ?? englishSetting)).size === 1) return;
  throw new SemanticIndexError('INVALID_ARGUMENT', 'The shards analyze words in different ways', {
    hint: 'A change was interrupted: open the index once with the `language`, `languageField` and `textFields` that it shall have.',
  });
}

function otherShard(place: number, record: ShardRecord, { index, shards }: ShardRecord): SemanticIndexError {
  const problem =
    record.index !== index
      ? `Shard ${place} belongs to another index`
      : record.shards !== shards
        ? `The index has ${record.shards} shards, got ${shards}`
        : `Shard ${record.place} was given as shard ${place}`;
  return new SemanticIndexError('INVALID_ARGUMENT', problem, {
    hint: 'Give all shards in the order in which the index was made. For another number of shards, copy it: `copyIndex`.',
  });
}

/** @throws INVALID_ARGUMENT for a backend that is a shard: alone it has a part of the documents, and others would be misplaced. */
export async function checkAlone(backend: Backend): Promise<void> {
  const record = await readRecord(backend);
  if (record === undefined) return;
  const { place, shards } = record;
  throw new SemanticIndexError('INVALID_ARGUMENT', `This is shard ${place} of an index of ${shards} shards`, {
    hint: 'Open all of them together: postgres({ shards: [...] }).',
  });
}
