import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../../src/errors.js';
import { AnnoyIndex } from '../../../src/vectors/annoy/annoy-index.js';
import type { AnnoyState } from '../../../src/vectors/annoy/annoy-state.js';
import { randomRows, temporaryFolder } from '../reference.js';

const folder = temporaryFolder();
const saved = join(folder, 'saved.ann');
const f = 8;
const rows = randomRows(200, f, 'angular');
const vector = rows.subarray(0, f);

/** A new index in each state; `settle` awaits the operation that makes it busy. */
const enter: Record<AnnoyState | 'empty', () => Promise<{ index: AnnoyIndex; settle?: Promise<unknown> }>> = {
  empty: async () => ({ index: new AnnoyIndex(f, 'angular') }),
  adding: async () => {
    const index = new AnnoyIndex(f, 'angular');
    index.addItems(rows);
    return { index };
  },
  busy: async () => {
    const { index } = await enter.adding();
    return { index, settle: index.build(2) };
  },
  built: async () => {
    const { index } = await enter.adding();
    await index.build(2);
    return { index };
  },
  unloaded: async () => ({ index: await AnnoyIndex.open(saved, { loadMode: 'lazy' }) }),
  closed: async () => {
    const { index } = await enter.built();
    index.close();
    return { index };
  },
};

type State = keyof typeof enter;
/** Outcome of an operation: the state afterwards, or the code of its error. */
type Outcome = AnnoyState | ErrorCode;

const states: State[] = ['empty', 'adding', 'busy', 'built', 'unloaded', 'closed'];
let copies = 0;
let bytes: Uint8Array;

/** Operation, then its outcome in the states empty, adding, busy, built, unloaded, closed. */
const table: [string, (index: AnnoyIndex) => unknown, ...Outcome[]][] = [
  ['addItem', (i) => i.addItem(0, vector), 'adding', 'adding', 'BUSY', 'ALREADY_BUILT', 'ALREADY_BUILT', 'CLOSED'],
  ['addItems', (i) => i.addItems(rows), 'adding', 'adding', 'BUSY', 'ALREADY_BUILT', 'ALREADY_BUILT', 'CLOSED'],
  [
    'onDiskBuild',
    (i) => i.onDiskBuild(join(folder, 'never.ann')),
    'adding',
    'INVALID_ARGUMENT',
    'BUSY',
    'ALREADY_BUILT',
    'ALREADY_BUILT',
    'CLOSED',
  ],
  ['build', (i) => i.build(1), 'INVALID_ARGUMENT', 'built', 'BUSY', 'ALREADY_BUILT', 'ALREADY_BUILT', 'CLOSED'],
  ['unbuild', (i) => i.unbuild(), 'NOT_BUILT', 'NOT_BUILT', 'BUSY', 'adding', 'adding', 'CLOSED'],
  [
    'save',
    (i) => i.save(join(folder, `copy-${copies++}.ann`)),
    'NOT_BUILT',
    'NOT_BUILT',
    'BUSY',
    'built',
    'built',
    'CLOSED',
  ],
  ['load', (i) => i.load(saved), 'built', 'INVALID_ARGUMENT', 'BUSY', 'built', 'built', 'CLOSED'],
  ['deserialize', (i) => i.deserialize(bytes), 'built', 'INVALID_ARGUMENT', 'BUSY', 'built', 'built', 'CLOSED'],
  ['unload', (i) => i.unload(), 'adding', 'adding', 'BUSY', 'adding', 'unloaded', 'CLOSED'],
  ['getNnsByItem', (i) => i.getNnsByItem(0, 3), 'NOT_BUILT', 'NOT_BUILT', 'BUSY', 'built', 'built', 'CLOSED'],
  ['getNnsByVector', (i) => i.getNnsByVector(vector, 3), 'NOT_BUILT', 'NOT_BUILT', 'BUSY', 'built', 'built', 'CLOSED'],
  ['getNnsByVectors', (i) => i.getNnsByVectors(rows, 3), 'NOT_BUILT', 'NOT_BUILT', 'BUSY', 'built', 'built', 'CLOSED'],
  ['getItemVector', (i) => i.getItemVector(0), 'INVALID_ARGUMENT', 'adding', 'BUSY', 'built', 'built', 'CLOSED'],
  ['getItemVectors', (i) => i.getItemVectors(), 'adding', 'adding', 'BUSY', 'built', 'built', 'CLOSED'],
  ['getDistance', (i) => i.getDistance(0, 1), 'INVALID_ARGUMENT', 'adding', 'BUSY', 'built', 'built', 'CLOSED'],
  ['getNItems', (i) => i.getNItems(), 'adding', 'adding', 'busy', 'built', 'unloaded', 'CLOSED'],
  ['getNTrees', (i) => i.getNTrees(), 'adding', 'adding', 'busy', 'built', 'unloaded', 'CLOSED'],
  ['setSeed', (i) => i.setSeed(1), 'adding', 'adding', 'BUSY', 'built', 'unloaded', 'CLOSED'],
  ['verbose', (i) => i.verbose(false), 'adding', 'adding', 'busy', 'built', 'unloaded', 'closed'],
  ['serialize', (i) => i.serialize(), 'NOT_BUILT', 'NOT_BUILT', 'BUSY', 'built', 'built', 'CLOSED'],
  ['toSnapshot', (i) => i.toSnapshot(), 'NOT_BUILT', 'NOT_BUILT', 'BUSY', 'built', 'built', 'CLOSED'],
  ['info', (i) => i.info(), 'adding', 'adding', 'busy', 'built', 'unloaded', 'closed'],
  ['memoryUsage', (i) => i.memoryUsage(), 'adding', 'adding', 'busy', 'built', 'unloaded', 'closed'],
  ['prefault', (i) => i.prefault(), 'NOT_BUILT', 'NOT_BUILT', 'BUSY', 'built', 'built', 'CLOSED'],
  ['validate', (i) => i.validate(), 'NOT_BUILT', 'NOT_BUILT', 'BUSY', 'built', 'unloaded', 'CLOSED'],
  [
    'validate and load',
    (i) => i.validate({ load: true }),
    'NOT_BUILT',
    'NOT_BUILT',
    'BUSY',
    'built',
    'built',
    'CLOSED',
  ],
  ['close', (i) => i.close(), 'closed', 'closed', 'closed', 'closed', 'closed', 'closed'],
  ['dispose', (i) => i[Symbol.dispose](), 'closed', 'closed', 'closed', 'closed', 'closed', 'closed'],
];

beforeAll(async () => {
  const { index } = await enter.built();
  bytes = await index.serialize();
  await index.save(saved);
});

describe.each(table)('%s', (_, operation, ...outcomes) => {
  it.each(states.map((state, column) => [state, outcomes[column] as Outcome] as const))(
    'when %s: %s',
    async (state, outcome) => {
      const { index, settle } = await enter[state]();
      const settled = settle?.catch((error: unknown) => error);
      let result: Outcome;
      try {
        const pending = operation(index);
        // The state right after the call: the pending build changes it later.
        result = index.state;
        await pending;
        if (state !== 'busy') result = index.state;
      } catch (error) {
        result = (error as { code: ErrorCode }).code;
      }
      expect(result).toBe(outcome);
      const after = await settled;
      if (state === 'busy') {
        expect(index.state).toBe(outcome === 'closed' ? 'closed' : 'built');
        if (outcome === 'closed') expect(after).toMatchObject({ code: 'CLOSED' });
      }
      index.close();
    },
  );
});

describe('close', () => {
  it('lets a running search complete and affects this instance only', async () => {
    const first = await AnnoyIndex.open(saved);
    const second = await AnnoyIndex.open(saved);
    const searching = first.getNnsByVectors(rows, 5);
    const serializing = first.serialize();
    first.close();
    expect((await searching).items).toEqual((await second.getNnsByVectors(rows, 5)).items);
    expect((await serializing).length).toBe(second.info().fileSize);
    expect(() => first.getNnsByItem(0, 1)).toThrow(expect.objectContaining({ code: 'CLOSED' }));
    await expect(first.getNnsByVectors(rows, 1)).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('stops a build at once', async () => {
    const index = new AnnoyIndex(64, 'angular');
    index.addItems(randomRows(20_000, 64, 'angular'));
    // Longer than the time limit of the test.
    const building = index.build(1_000_000, { threads: 1 });
    setTimeout(() => index.close(), 20);
    await expect(building).rejects.toMatchObject({ code: 'CLOSED' });
  });
});
