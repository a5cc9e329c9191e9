// One life of an index while calls fail: what each operation came to, whether the index works afterwards, and what a reopen
// finds. Shared by the program under the shim and by the one on a tiny file system.
import { searchFault } from '../../../dist/crash-test/exact-search.js';
import { scoreTexts } from '../../../dist/crash-test/exact-texts.js';
import { deterministicProvider } from '../../../dist/embed/testing/deterministic-provider.js';
import { SemanticIndexError } from '../../../dist/errors.js';
import { SemanticIndex } from '../../../dist/semantic-index.js';

const provider = deterministicProvider({ dimensions: 16 });
const options = { provider, ann: { sealAt: 40, trees: 3, threads: 1 } };
const fitting = ['IO', 'BUSY', 'CORRUPT'];

export function documents(first, count, words = 'some words of') {
  return Array.from({ length: count }, (_, n) => ({
    id: first + n,
    text: `${words} number${first + n} w${n % 7}`,
    metadata: { n: first + n },
  }));
}

/** Runs the script. `whenOver` ends the faults. Throws what must not be. */
export async function runScript(folder, whenOver) {
  const faults = [];
  const outcomes = [];
  const held = new Map();
  const unsure = new Map();
  const attempt = async (name, work, changes = []) => {
    for (const [id, document] of changes) unsure.set(id, [...(unsure.get(id) ?? []), document]);
    try {
      const result = await work();
      for (const [id, document] of changes) {
        unsure.delete(id);
        if (document === undefined) held.delete(id);
        else held.set(id, document);
      }
      return result;
    } catch (error) {
      outcomes.push(`${name}: ${error?.code}`);
      if (!SemanticIndexError.is(error) || !fitting.includes(error.code)) {
        faults.push(`${name} rejects with ${error?.code} (${error?.stack})`);
      }
      return undefined;
    }
  };
  const add = (index, list) =>
    attempt(
      'add',
      () => index.addDocuments(list),
      list.map((document) => [document.id, document]),
    );
  const open = () =>
    SemanticIndex.open(`${folder}/index`, {
      ...options,
      onEvent: ({ type, message, error }) => {
        if (type === 'error' && !fitting.includes(error?.code)) faults.push(`in the background: ${message}`);
      },
    });

  let index = await attempt('open', open);
  if (index === undefined) {
    await whenOver();
    index = await open();
  }
  await add(index, documents(0, 30));
  await attempt('optimize', () => index.optimize({ full: true }));
  await add(index, documents(30, 60));
  await add(index, documents(10, 10, 'other words about'));
  const doomed = [1, 2, 3, 40, 41];
  await attempt(
    'delete',
    () => index.deleteDocuments(doomed),
    doomed.map((id) => [id, undefined]),
  );
  await attempt('optimize', () => index.optimize());
  await attempt('rebuild', () => index.rebuild());
  await attempt('search', () => index.search('other words', { k: 5 }));
  await attempt('backup', () => index.backup(`${folder}/copy`));
  await add(index, documents(200, 5));

  await whenOver();
  // The same process, after the fault: everything works.
  const later = documents(300, 5);
  await index.addDocuments(later);
  for (const document of later) held.set(document.id, document);
  const { hits: found } = await index.search(later[0].text, { k: 1, mode: 'vector', exact: true });
  if (found[0]?.id !== 300) faults.push(`the same process finds ${JSON.stringify(found)} afterwards`);
  await index.optimize({ full: true });
  await index.close();
  faults.push(...(await inspect(`${folder}/index`, held, unsure)));
  return { outcomes, faults };
}

async function inspect(directory, held, unsure) {
  const faults = [];
  const index = await SemanticIndex.open(directory, {
    ...options,
    ann: { background: false },
    onEvent: ({ type, message }) => faults.push(`${type}: ${message}`),
  });
  const { documents: listed, next } = await index.listDocuments({ limit: 1_000 });
  const found = new Map(listed.map((document) => [document.id, document]));
  if (next !== undefined) faults.push('more documents than were ever added');
  const same = (a, b) => a?.text === b?.text;
  for (const id of new Set([...held.keys(), ...found.keys(), ...unsure.keys()])) {
    const allowed = [held.get(id), ...(unsure.get(id) ?? [])];
    if (!allowed.some((document) => same(found.get(id), document))) {
      faults.push(`document ${id} is ${JSON.stringify(found.get(id))}, allowed is ${JSON.stringify(allowed)}`);
    }
  }
  const { checks } = await index.validate({ level: 'full' });
  for (const check of checks) if (!check.passed && check.severity !== 'info') faults.push(JSON.stringify(check));
  const { hits } = await index.search('some words of number7', { k: 1_000, mode: 'vector', exact: true });
  if (hits.length !== found.size) faults.push(`${hits.length} hits of ${found.size} documents`);
  const { hits: byText } = await index.search('other number7 words', { k: 1_000, mode: 'text' });
  const fault = searchFault(byText, scoreTexts(listed, 'other number7 words'), 1_000, true);
  if (fault !== undefined) faults.push(`search by text: ${fault}`);
  await index.close();
  return faults;
}
