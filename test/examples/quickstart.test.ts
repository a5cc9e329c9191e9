import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ProgramProcess } from './program-process.js';
import { runProgram } from './run-program.js';

describe('the quickstart, with a folder of its user', { timeout: 240_000 }, () => {
  let folder = '';
  const programs = new ProgramProcess();
  const run = (...args: string[]) =>
    programs.run('examples/quickstart.ts', ['--index', join(folder, '.index'), ...args]);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'semantic-index-'));
    await writeFile(
      join(folder, 'shop.md'),
      '# Shop\n\n## Returns\nSend the parcel back within thirty days and we refund the full price.\n\n' +
        '## Delivery\nOrders that arrive before noon leave our warehouse on the same day.\n',
    );
    await writeFile(
      join(folder, 'garden.txt'),
      'Tomatoes want sun, warmth and plenty of water in the summer months.\n',
    );
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  test('indexes, answers, and embeds nothing the second time', async () => {
    const first = await run('--k', '1', folder, 'Can I get my money back?', 'growing vegetables');
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toContain('3 chunks of 2 files: 3 new, 0 removed, 3 embedded');
    expect(first.stdout).toMatch(/\? Can I get my money back\?\n1\. 0\.\d\d {2}shop\.md:1 {2}Shop › Returns\n/);
    expect(first.stdout).toMatch(/\? growing vegetables\n1\. 0\.\d\d {2}garden\.txt:1\n {9}Tomatoes want sun/);

    const second = await run('--k', '1', folder, 'Can I get my money back?');
    expect(second.stdout).toContain('3 chunks of 2 files: 0 new, 0 removed, 0 embedded');
    expect(second.stdout).toContain('Shop › Returns');
  });

  test('follows the files: a changed chunk is embedded, a vanished file leaves', async () => {
    await writeFile(
      join(folder, 'shop.md'),
      '# Shop\n\n## Returns\nWe do not take back what was opened, except when it is broken.\n',
    );
    await rm(join(folder, 'garden.txt'));
    const { stdout } = await run(folder, 'growing vegetables');
    expect(stdout).toContain('1 chunk of 1 file: 1 new, 3 removed, 1 embedded');
    expect(stdout).not.toContain('Tomatoes');
  });

  test('explains itself, and what it cannot do', async () => {
    expect((await run('--help')).stdout).toContain('npm start -- DIR');
    expect(await run('no-such-folder')).toMatchObject({
      code: 1,
      stderr: '"no-such-folder" is not a folder. Questions come after it: npm start -- DIR "question"\n',
    });
    expect(await run('--depth', '3')).toMatchObject({ code: 1, stderr: expect.stringContaining("'--depth'") });
    expect(await run('--k', 'many', folder, 'why')).toMatchObject({ code: 1, stderr: expect.stringContaining('k') });
  });

  test('keeps its process alive no longer than it runs', async () => {
    expect(await programs.end()).toEqual({ code: 0, stderr: '' });
  });
});

test('the quickstart answers questions about the installed packages in other words', { timeout: 240_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'semantic-index-'));
  try {
    const { code, stdout, stderr } = await runProgram('examples/quickstart.ts', ['--index', join(folder, 'index')]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(Number(stdout.match(/^([\d,]+) chunks/m)?.[1]?.replace(',', ''))).toBeGreaterThan(1000);
    const answers = stdout.split(/^\? /m).slice(1);
    const expected = [
      [/speech/, /@xenova\/transformers\/README\.md:\d+ {2}.*Audio/],
      [/changes on disk/, /chokidar\/README\.md/],
      [/shuts down/, /fastify\/docs\//],
      [/security hole/, /[Ss]ecurity (?:contact|Issues|Policy)/],
      [/HTML from users/, /micromark|sanitize/],
    ] as const;
    expect(answers).toHaveLength(expected.length);
    for (const [position, [question, hit]] of expected.entries()) {
      expect(answers[position]).toMatch(question);
      // The first of the three has to be right, not any of them.
      expect(answers[position]?.split('\n')[1]).toMatch(hit);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});
