import { setTimeout as sleep } from 'node:timers/promises';
import { deterministicProvider } from '../embed/testing/deterministic-provider.js';
import { Random } from '../random.js';
import { SemanticIndex } from '../semantic-index.js';
import { type MemberOrders, type MemberReport, noReport } from './crowd-messages.js';
import { CrowdReader } from './crowd-reader.js';
import { CrowdWriter } from './crowd-writer.js';

// A member process: writes or searches until it receives a message, then reports and exits.

const orders = JSON.parse(process.argv[2] as string) as MemberOrders;
const random = new Random(orders.seed);
const counts = { ...noReport };
const faults: string[] = [];
const maxFaults = 10;
let stopped = false;
process.once('message', () => {
  stopped = true;
});

function fault(message: string): void {
  if (faults.length < maxFaults) faults.push(`${orders.role} ${orders.number}: ${message}`);
}

function open(): Promise<SemanticIndex> {
  return SemanticIndex.open(orders.directory, {
    provider: deterministicProvider({ dimensions: 16 }),
    readonly: orders.role === 'reader' && random.chance(0.8),
    onEvent: (event) => {
      const { type, message } = event;
      if (['damage', 'graph-missing', 'terms-missing', 'columns-missing'].includes(type)) fault(message);
      if (type === 'error' && event.error.code !== 'BUSY') fault(message);
    },
    ann: { sealAt: 300, trees: 4, threads: 1 },
  });
}

async function write(): Promise<void> {
  const index = await open();
  const writer = new CrowdWriter(index, orders, random, counts);
  while (!stopped) {
    await writer.act();
    await sleep(random.integer(8));
  }
  writer.close();
  await index.close();
}

async function read(): Promise<void> {
  const reader = new CrowdReader(orders, random, counts, fault);
  let index = await open();
  while (!stopped) {
    await reader.act(index);
    if (random.chance(0.002)) {
      await index.close();
      index = await open();
    }
  }
  reader.close();
  await index.close();
}

process.send?.('ready');
try {
  await (orders.role === 'writer' ? write() : read());
} catch (error) {
  fault(error instanceof Error ? (error.stack ?? error.message) : String(error));
}
const report: MemberReport = { ...counts, faults };
process.send?.(report, () => process.disconnect?.());
