// From a folder of documentation to a context for a language model: chunks, a question, passages with citations that are
// checked against the files, and a second sync after a change. Nothing leaves the machine.
// Run: npx tsx examples/rag.ts [FOLDER] [QUESTION]; the folder is copied and stays as it is. Default: docs/ of this package.
import { appendFile, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ChunkMetadata, Retriever, readFolder, SemanticIndex, sync } from 'semantic-index';

const [given, question = 'How are long texts cut before they are embedded?'] = process.argv.slice(2);
const documentation = given ?? fileURLToPath(new URL('../docs', import.meta.url));
const folder = await mkdtemp(join(tmpdir(), 'semantic-index-rag-'));
const sources = join(folder, 'sources');
try {
  await cp(documentation, sources, { recursive: true });
  await using index = await SemanticIndex.open<ChunkMetadata>(join(folder, 'index'));
  const first = await sync(index, readFolder(sources));
  console.log(`${first.sources.added} files became ${first.chunks.added} chunks, ${first.embedded} embedded.`);

  const budget = 600;
  const retriever = new Retriever(index, { maxTokens: budget });
  const context = await retriever.retrieve(question);
  console.log(`\nQuestion: ${question}`);
  console.log(`Context: ${context.tokens} of ${budget} tokens.\n\n${context.text}\n`);

  console.log('Citations:');
  for (const { number, source, startLine, endLine, start, end, text } of context.passages) {
    const file = await readFile(join(sources, source), 'utf8');
    const lines = file
      .split('\n')
      .slice((startLine ?? 1) - 1, endLine)
      .join('\n');
    const bare = (written: string): string => written.replace(/\s+/g, ' ').trim();
    const there = bare(lines).includes(bare(text)) && bare(file.slice(start, end)) === bare(text);
    console.log(`[${number}] ${source}:${startLine}-${endLine} ${there ? 'verified' : 'NOT VERIFIED'}`);
  }

  const changed = context.passages[0]?.source as string;
  await appendFile(join(sources, changed), '\n## A new chapter\n\nA sentence that is new.\n');
  await writeFile(join(sources, 'new.md'), '# New\n\nA file that came later.\n');
  const planned = await sync(index, readFolder(sources), { cleanup: 'full', dryRun: true });
  const second = await sync(index, readFolder(sources), { cleanup: 'full' });
  console.log(`\nAfter a chapter in ${changed} and a new file (a dry run said ${planned.embedded} to embed):`);
  console.log(
    `${second.chunks.added} chunks added, ${second.chunks.updated} moved, ${second.chunks.deleted} deleted, ` +
      `${second.chunks.unchanged} unchanged, ${second.embedded} embedded.`,
  );
  await rm(join(sources, 'new.md'));
  const third = await sync(index, readFolder(sources), { cleanup: 'full' });
  console.log(`Without the new file again: ${third.chunks.deleted} deleted, ${third.embedded} embedded.`);
} finally {
  await rm(folder, { recursive: true });
}
