import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { notedModel } from '../../src/cli/noted-model.js';
import { needsTrust } from '../../src/cli/trusted-models.js';
import { SemanticIndex, SemanticIndexError } from '../../src/index.js';
import { scratchFolder } from './run-cli.js';
import { runHere } from './run-here.js';

/** A service that answers embedding requests and remembers the key of each. */
async function listener(): Promise<{ url: string; keys: string[] }> {
  const keys: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (data) => {
      body += data;
    });
    request.on('end', () => {
      keys.push(String(request.headers.authorization));
      const input = [JSON.parse(body).input].flat() as string[];
      const data = input.map((_, index) => ({ index, object: 'embedding', embedding: [1, 0, 0.5] }));
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ object: 'list', model: 'm', data, usage: { prompt_tokens: 1, total_tokens: 1 } }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, keys };
}

async function receivedIndex(cwd: string, note: unknown): Promise<void> {
  await (await SemanticIndex.open(join(cwd, 'received'), { provider: null })).close();
  writeFileSync(join(cwd, 'received/cli.json'), JSON.stringify(note));
}

const env = { SECRET: 'secret of the victim', OPENAI_API_KEY: 'key of the victim' };

describe('an index directory that names a service', () => {
  it('sends neither a key nor a text there, until the user allows it', { timeout: 240_000 }, async () => {
    const cwd = scratchFolder();
    const { url, keys } = await listener();
    const note = { model: 'openai:m', baseUrl: url, apiKeyEnv: 'SECRET' };
    await receivedIndex(cwd, note);
    const run = (...args: string[]) => runHere([...args, '--json'], { cwd, env, input: 'a private text\n' });
    const commands = [
      ['search', 'received', 'a private question'],
      ['add', 'received', '-', '--format', 'lines'],
      // The user names a key, and the directory the address that would get it.
      ['search', 'received', 'x', '--api-key-env', 'OPENAI_API_KEY'],
      ['search', 'received', 'x', '--base-url', url],
    ];
    for (const command of commands) {
      const { code, stderr } = await run(...command);
      expect({ command, code, error: JSON.parse(stderr) }).toMatchObject({
        code: 2,
        error: { error: { code: 'UNTRUSTED', message: expect.stringContaining(url) } },
      });
    }
    const { stdout } = await run('doctor', 'received');
    expect(stdout).toContain('which you have not allowed');
    expect(keys).toEqual([]);

    expect(JSON.parse((await run('trust', 'received')).stdout)).toEqual({ index: 'received', ...note });
    expect((await run('add', 'received', '-', '--format', 'lines')).code).toBe(0);
    expect(new Set(keys)).toEqual(new Set(['Bearer secret of the victim']));
    keys.length = 0;

    // What was allowed is this key for this address.
    for (const other of [
      { ...note, apiKeyEnv: 'OPENAI_API_KEY' },
      { ...note, baseUrl: `${url}/other` },
    ]) {
      writeFileSync(join(cwd, 'received/cli.json'), JSON.stringify(other));
      expect((await run('search', 'received', 'x')).code).toBe(2);
    }
    expect(keys).toEqual([]);
  });

  it('is used without a question where the user named the service', { timeout: 240_000 }, async () => {
    const cwd = scratchFolder();
    const { url, keys } = await listener();
    const run = (...args: string[]) => runHere(args, { cwd, env, input: 'a text\n' });
    await run('init', 'own', '--model', 'openai:m', '--base-url', url, '--api-key-env', 'SECRET');
    expect((await run('add', 'own', '-', '--format', 'lines')).code).toBe(0);
    expect(keys.length).toBeGreaterThan(0);
    await run('backup', 'own', 'copy');
    expect((await run('search', 'copy', 'a text')).code).toBe(0);
    // Without its list this user has named nothing.
    rmSync(join(cwd, '.config'), { recursive: true });
    expect((await run('search', 'own', 'a text')).code).toBe(2);
  });
});

it('needs consent for an address, a key, a file and a download, and for nothing else', () => {
  for (const model of ['bundled', 'none', 'openai', 'openai:text-embedding-3-small']) {
    expect(needsTrust({ model })).toBe(false);
    expect(needsTrust({ model, baseUrl: 'https://example.com' })).toBe(true);
    expect(needsTrust({ model, apiKeyEnv: 'HOME' })).toBe(true);
  }
  for (const model of ['bundled:../model', 'bundled:/etc', 'transformers:some/model', 'other', '', 'openai\nx']) {
    expect(needsTrust({ model })).toBe(true);
  }
});

describe('cli.json', () => {
  it('is a note or INVALID_FILE, whatever it holds', async () => {
    const folder = scratchFolder();
    const path = join(folder, 'cli.json');
    const member = fc.constantFrom('model', 'baseUrl', 'apiKeyEnv', 'dimensions', '__proto__', 'other');
    const value = fc.oneof(fc.jsonValue(), fc.webUrl(), fc.constantFrom('file:///etc/passwd', 'javascript:x', 'A=B'));
    const content = fc.oneof(
      fc.dictionary(member, value).map((note) => JSON.stringify(note)),
      fc.json(),
      fc.string(),
    );
    await fc.assert(
      fc.asyncProperty(content, async (text) => {
        writeFileSync(path, text);
        const found = await notedModel(folder).catch((error: unknown) => error);
        if (SemanticIndexError.is(found)) {
          expect(found.code).toBe('INVALID_FILE');
          return;
        }
        const {
          model = '',
          baseUrl = 'http://x',
          apiKeyEnv = 'x',
          dimensions = 1,
          ...rest
        } = found as never as Record<string, unknown>;
        expect(rest).toEqual({});
        expect([typeof model, typeof baseUrl, typeof apiKeyEnv, typeof dimensions]).toEqual([
          'string',
          'string',
          'string',
          'number',
        ]);
        expect(String(baseUrl)).toMatch(/^https?:/i);
      }),
    );
  });

  it('is a file: a link, a pipe, a directory and a huge one are refused at once', async () => {
    const folder = scratchFolder();
    const path = join(folder, 'cli.json');
    const makers = [
      () => symlinkSync('/etc/hostname', path),
      () => mkdirSync(path),
      () => writeFileSync(path, ' '.repeat(1e6)),
      ...(process.platform === 'win32' ? [] : [() => void execFileSync('mkfifo', [path])]),
    ];
    for (const make of makers) {
      make();
      await expect(notedModel(folder)).rejects.toMatchObject({ code: 'INVALID_FILE' });
      rmSync(path, { recursive: true });
    }
    expect(await notedModel(folder)).toBeUndefined();
  });

  it('that is a link is not copied by a backup', { timeout: 120_000 }, async () => {
    const cwd = scratchFolder();
    await receivedIndex(cwd, {});
    const secret = join(cwd, 'secret');
    writeFileSync(secret, 'a secret');
    rmSync(join(cwd, 'received/cli.json'));
    symlinkSync(secret, join(cwd, 'received/cli.json'));
    await runHere(['backup', 'received', 'copy'], { cwd });
    expect(existsSync(join(cwd, 'copy/index.db'))).toBe(true);
    expect(existsSync(join(cwd, 'copy/cli.json'))).toBe(false);
    expect(readFileSync(secret, 'utf8')).toBe('a secret');
  });
});
