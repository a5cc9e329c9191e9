// One process of the crowd: adds, deletes or searches until its stdin ends or it is killed, and writes to stdout what was acknowledged.
import { postgres, SemanticIndex } from 'semantic-index';
import { deterministicProvider } from 'semantic-index/testing';

// The location is what `postgres` takes, as JSON.
const [role, number, location] = process.argv.slice(2);
const provider = deterministicProvider({ dimensions: 16 });
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
let isWanted = true;
process.stdin.resume().once('end', () => {
  isWanted = false;
});
/** Each writer has ids of its own, so what was acknowledged last is what has to be there. */
const ids = Array.from({ length: 40 }, (_, place) => `${number}-${place}`);
const pick = () => ids.filter(() => Math.random() < 0.3);
const open = () =>
  SemanticIndex.open(postgres({ ...JSON.parse(location), maxConnections: 3 }), {
    provider,
    ann: { background: false },
  });

let index;
let round = 0;
while (isWanted) {
  round++;
  const chosen = pick();
  try {
    index ??= await open();
    if (role === 'write') {
      const documents = chosen.map((id) => ({
        id,
        text: `word${number} round${round} ${id} shared`,
        metadata: { round },
      }));
      say({ begin: 'add', ids: chosen, round });
      await index.addDocuments(documents);
      say({ done: 'add', ids: chosen, round });
    } else if (role === 'delete') {
      // Of the ids of a writer of its own, which it adds before.
      await index.addDocuments(
        chosen.map((id) => ({ id, text: `to be deleted ${id} ${round}`, metadata: { round: 0 } })),
      );
      say({ begin: 'delete', ids: chosen, round });
      await index.deleteDocuments(chosen);
      say({ done: 'delete', ids: chosen, round });
    } else {
      const { hits } = await index.search('shared word', { k: 5, where: { round: { $gte: 0 } } });
      for (const hit of hits) if (!hit.text.includes(String(hit.id))) say({ wrong: hit });
      say({ done: 'search' });
    }
  } catch (error) {
    say({ error: error.code ?? 'none', message: error.message });
    // One that has no code of ours is a finding; others are expected while the server is away.
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
await index?.close();
