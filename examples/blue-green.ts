// A new index beside the one in use, swapped in at one moment and out again if it is not good: for changes that are larger
// than an update, such as other chunks. (Another model alone needs less: see `migrate`.) Searches never stop.
//
//   npx tsx examples/blue-green.ts
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Hit, SemanticIndex } from 'semantic-index';

const folder = mkdtempSync(join(tmpdir(), 'blue-green-'));
const rules = [
  'We refund the price within 30 days. Send the parcel back.',
  'Orders leave in the morning. Shops open at nine.',
];

/** What requests are answered from: one index after another, each closed when its last search has ended. */
class Live {
  #index: SemanticIndex;

  constructor(index: SemanticIndex) {
    this.#index = index;
  }

  search(query: string): Promise<Hit[]> {
    return this.#index.search(query, { k: 1 }).then(({ hits }) => hits);
  }

  /** From now on searches go to the other index. Closing waits for pending ones. */
  async swap(next: SemanticIndex): Promise<void> {
    const before = this.#index;
    this.#index = next;
    await before.close();
  }
}

async function make(name: string, texts: readonly string[]): Promise<SemanticIndex> {
  const index = await SemanticIndex.open(join(folder, name));
  await index.addDocuments(texts);
  await index.optimize({ full: true });
  return index;
}

const live = new Live(await make('blue', rules));
const show = async (name: string) =>
  console.log(`${name.padEnd(7)}${(await live.search('when do shops open?'))[0]?.text}`);
await show('blue:');

// Requests go on while the new one is made and swapped in.
let running = true;
let answered = 0;
const requests = (async () => {
  while (running) {
    if ((await live.search('refund')).length !== 1) throw new Error('a search found nothing');
    answered++;
    await new Promise((resolve) => setImmediate(resolve));
  }
})();

const green = await make(
  'green',
  rules.flatMap((text) => text.split(/(?<=\.) /)),
);
// Questions with known answers decide whether it goes live.
const {
  hits: [answer],
} = await green.search('when do shops open?', { k: 1 });
if (answer?.text === 'Shops open at nine.' && (await green.validate()).valid) await live.swap(green);
else await green.close();
await show('green:');

running = false;
await requests;
console.log(answered > 0 ? 'Every request meanwhile was answered.' : 'There was no request meanwhile.');
await green.close();
rmSync(folder, { recursive: true });
