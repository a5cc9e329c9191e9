import { setTimeout as sleep } from 'node:timers/promises';
import { deterministicProvider } from '../embed/testing/deterministic-provider.js';
import { Random } from '../random.js';
import { SemanticIndex } from '../semantic-index.js';
import type { DocumentId } from '../types.js';
import type { Operation, WriterMessage, WriterOrders, WrittenDocument } from './messages.js';

// The process that is killed: changes an index continuously in three concurrent lanes, and reports over IPC.

const orders = JSON.parse(process.argv[2] as string) as WriterOrders;
const random = new Random(orders.seed);
// Merges need documents that stay and no builds; many deletions lead to compaction instead.
const idsPerLane = orders.emphasis === 'merge' ? 20_000 : 300;
const weights =
  orders.emphasis === 'merge' ? { deleteGroup: 0, delete: 1, add: 30 } : { deleteGroup: 1, delete: 3, add: 12 };
const groups = 12;
const maintenanceLane = 2;
// Frequent builds would leave nothing to seal, and no segments to merge.
const maxPause = { seal: 400, merge: 5_000 }[orders.emphasis] ?? 60;
const texts = new Map<DocumentId, string>();
let versions = 0;

/** Resolves when the message has left this process. */
function say(message: WriterMessage): Promise<void> {
  return new Promise((resolve, reject) => {
    process.send?.(message, undefined, {}, (error) => (error === null ? resolve() : reject(error)));
  });
}

function idOf(lane: number): DocumentId {
  const number = random.integer(idsPerLane);
  return number % 2 === 0 ? lane * 1_000_000 + number : `lane ${lane} · ${number}`;
}

function writtenDocument(lane: number, id: DocumentId): WrittenDocument {
  const known = texts.get(id);
  const text =
    known !== undefined && random.chance(0.3)
      ? known
      : Array.from({ length: 2 + random.integer(12) }, () => `word${random.integer(500)}`).join(' ');
  texts.set(id, text);
  const metadata = { lane, group: random.integer(groups), version: `${orders.seed}.${versions++}` };
  if (random.chance(0.9)) return { id, text, metadata };
  return { id, text, metadata, vector: Float32Array.from({ length: 16 }, () => random.number() - 0.5) };
}

function changeOf(lane: number): Operation {
  const kind = random.weighted(weights);
  if (kind === 'deleteGroup') return { kind, lane, group: random.integer(groups) };
  const size = random.chance(0.1) ? 150 : 1 + random.integer(30);
  const ids = [...new Set(Array.from({ length: size }, () => idOf(lane)))];
  if (kind === 'delete') return { kind, ids: ids.slice(0, 20) };
  return { kind, documents: ids.map((id) => writtenDocument(lane, id)) };
}

function maintenanceOf(count: number): Operation {
  const more = (emphasis: string): number => (orders.emphasis === emphasis ? 10 : 1);
  const kind = random.weighted({
    build: more('build'),
    compact: more('compact'),
    rebuild: more('rebuild') / 2,
    rebuildFromTexts: more('rebuild') / 2,
    validate: 0.5,
    backup: more('backup') / 2,
  });
  return kind === 'backup' ? { kind, target: `${orders.backups}/${orders.seed}-${count}` } : { kind };
}

async function perform(index: SemanticIndex, operation: Operation): Promise<void> {
  switch (operation.kind) {
    case 'add': {
      await index.addDocuments(operation.documents);
      const last = operation.documents.at(-1) as WrittenDocument;
      const read = await index.getDocument(last.id);
      if (read?.text !== last.text)
        throw new Error(
          `expected the added document ${JSON.stringify(last.id)} to be readable, got ${JSON.stringify(read)}`,
        );
      return;
    }
    case 'delete':
      await index.deleteDocuments(operation.ids);
      return;
    case 'deleteGroup':
      await index.deleteDocuments({ where: { lane: operation.lane, group: operation.group } });
      return;
    case 'build':
      await index.optimize({ full: true });
      return;
    case 'compact':
      await index.optimize();
      return;
    case 'rebuild':
      return index.rebuild();
    case 'rebuildFromTexts':
      return index.rebuild({ from: 'texts' });
    case 'validate': {
      const { checks } = await index.validate({ level: 'full' });
      // Segments whose files the crash test removed are warnings.
      const failed = checks.filter(({ passed, severity }) => !passed && severity === 'error');
      if (failed.length > 0) throw new Error(`validate while writing: ${JSON.stringify(failed)}`);
      return;
    }
    case 'backup':
      return index.backup(operation.target);
  }
}

async function runLane(index: SemanticIndex, lane: number): Promise<void> {
  for (let count = 0; count < orders.operations; count++) {
    const operation = lane === maintenanceLane ? maintenanceOf(count) : changeOf(lane);
    await say({ about: 'intent', lane, operation });
    try {
      await perform(index, operation);
    } catch (error) {
      const message = `${operation.kind}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
      await say({ about: 'failed', lane, message });
      return;
    }
    await say({ about: 'acknowledged', lane });
    await sleep(random.integer(lane === maintenanceLane ? maxPause : 12));
  }
}

await say({ about: 'opening' });
const index = await SemanticIndex.open(orders.directory, {
  provider: deterministicProvider({ dimensions: 16 }),
  onEvent: ({ type, message }) => {
    if (type === 'error') void say({ about: 'failed', lane: -1, message });
  },
  storage: { durability: orders.durability },
  ann: { sealAt: 100, trees: 4, threads: 1 },
});
await say({ about: 'opened' });
await Promise.all([0, 1, maintenanceLane].map((lane) => runLane(index, lane)));
await say({ about: 'closing' });
await index.close();
await say({ about: 'closed' });
process.disconnect?.();
