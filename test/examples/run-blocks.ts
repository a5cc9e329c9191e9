import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A block of a page, with a name that no other has. */
export interface Block {
  readonly name: string;
  readonly code: string;
}

/** What a block printed; `error` is the stack of what it threw, or that it did not end. */
export interface BlockResult {
  readonly error: string;
  readonly stdout: string;
  readonly stderr: string;
}

/** The results of all blocks by name, and how their process ended. */
export interface BlockRun {
  readonly results: ReadonlyMap<string, BlockResult>;
  readonly exitCode: number;
  readonly stderr: string;
}

/**
 * Runs blocks of TypeScript, each in a module and a working directory of its own and all in one process, which has to end by
 * itself. They lie in a folder of .cache, so that `semantic-index` names this package.
 */
export async function runBlocks(folder: string, blocks: readonly Block[]): Promise<BlockRun> {
  const modules = join(root, '.cache', folder);
  const place = mkdtempSync(join(tmpdir(), 'semantic-index-'));
  const results = join(place, 'results.jsonl');
  mkdirSync(modules, { recursive: true });
  writeFileSync(results, '');
  const pairs = blocks.map(({ name, code }) => {
    const program = join(modules, `${name.replace(' ', '-')}.mts`);
    const directory = join(place, name.replace(' ', '-'));
    writeFileSync(program, code);
    mkdirSync(directory);
    return [program, directory];
  });
  const runner = fileURLToPath(new URL('./run-blocks.mjs', import.meta.url));
  const args = ['--import', import.meta.resolve('tsx'), runner, results, ...pairs.flat()];
  const ended = await new Promise<{ exitCode: number; stderr: string }>((resolve) => {
    execFile(process.execPath, args, { cwd: place, encoding: 'utf8', timeout: 200_000 }, (error, _, stderr) =>
      resolve({ exitCode: error === null ? 0 : Number(error.code ?? 1), stderr }),
    );
  });
  const lines = readFileSync(results, 'utf8').split('\n').slice(0, -1);
  const byProgram = new Map(lines.map((line) => [JSON.parse(line).program as string, JSON.parse(line) as BlockResult]));
  rmSync(place, { recursive: true, force: true });
  const missing = { error: `did not end: ${ended.stderr}`, stdout: '', stderr: '' };
  return {
    results: new Map(blocks.map(({ name }, at) => [name, byProgram.get(pairs[at]?.[0] as string) ?? missing])),
    ...ended,
  };
}
