import { expect, test } from 'vitest';
import { runCli, runJson, scratchFolder } from '../../cli/run-cli.js';
import { keepAsking, killable, serve, workersOf } from '../serve-command.js';

/** A connection for each: workers take turns in accepting them, not in answering. */
const search = async (url: string, query: string) => {
  const headers = { 'content-type': 'application/json', authorization: 'Bearer secret', connection: 'close' };
  const response = await fetch(`${url}/search`, { method: 'POST', headers, body: JSON.stringify({ query, k: 1 }) });
  const body = (await response.json()) as { hits?: { id: string }[]; error?: { code: string } };
  return { status: response.status, id: body.hits?.[0]?.id, code: body.error?.code };
};

test('serve answers, sees what other commands add, and ends in order', { timeout: 240_000 }, async () => {
  const cwd = scratchFolder();
  await runCli(['add', 'idx', '-', '--format', 'jsonl'], { cwd, input: '{"id":"a","text":"apples"}\n' });
  const { child, ending, url } = await serve(cwd, '--token-env', 'MY_TOKEN', '--readonly');
  expect(await search(url, 'fruit')).toEqual({ status: 200, id: 'a', code: undefined });
  await runCli(['add', 'idx', '-', '--format', 'jsonl'], { cwd, input: '{"id":"b","text":"a bicycle"}\n' });
  expect(await search(url, 'a vehicle with two wheels')).toMatchObject({ status: 200, id: 'b' });
  expect((await fetch(`${url}/stats`)).status).toBe(401);
  child.kill('SIGTERM');
  expect(await ending).toMatchObject({ code: 0, stderr: '' });
});

test('a missing token or index is reported at once', { timeout: 240_000 }, async () => {
  const cwd = scratchFolder();
  expect(await runCli(['serve', 'idx', '--port', '0', '--token-env', 'NO_SUCH_NAME'], { cwd })).toMatchObject({
    code: 2,
  });
  expect(await runCli(['serve', 'idx', '--port', '0'], { cwd })).toMatchObject({ code: 4 });
});

test.skipIf(!killable)('ends in order although a worker has died unseen', { timeout: 180_000 }, async () => {
  const cwd = scratchFolder();
  await runCli(['add', 'idx', '-', '--format', 'jsonl'], { cwd, input: '{"id":"a","text":"apples"}\n' });
  for (const gateway of [[], ['--gateway']]) {
    const { child, ending } = await serve(cwd, '--workers', '2', ...gateway);
    await expect.poll(() => workersOf(child.pid).length, { timeout: 60_000 }).toBe(2);
    // It goes on with a signal to end, before it has seen that its workers do not read its messages any more.
    process.kill(Number(child.pid), 'SIGSTOP');
    for (const worker of workersOf(child.pid)) process.kill(Number(worker), 'SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 100));
    child.kill('SIGTERM');
    process.kill(Number(child.pid), 'SIGCONT');
    expect(await ending).toMatchObject({ code: 0 });
  }
});

// Only Linux has the parent of a process in /proc.
test.skipIf(!killable)('a worker that gets SIGTERM breaks no connection', { timeout: 180_000 }, async () => {
  const cwd = scratchFolder();
  await runCli(['add', 'idx', '-', '--format', 'jsonl'], { cwd, input: '{"id":"a","text":"apples"}\n' });
  const { child, ending, url } = await serve(cwd, '--workers', '2');
  await expect.poll(() => workersOf(child.pid).length, { timeout: 60_000 }).toBe(2);
  const clients = keepAsking(url, 6);
  for (let round = 0; round < 2; round++) {
    const [first] = workersOf(child.pid);
    const before = clients.answered();
    process.kill(Number(first), 'SIGTERM');
    await expect.poll(() => workersOf(child.pid).includes(first as string), { timeout: 60_000 }).toBe(false);
    await expect.poll(() => workersOf(child.pid).length, { timeout: 60_000 }).toBe(2);
    await expect.poll(() => clients.answered(), { timeout: 60_000 }).toBeGreaterThan(before + 20);
  }
  expect(await clients.stop()).toEqual([]);
  child.kill('SIGTERM');
  expect((await ending).code).toBe(0);
});

test.skipIf(!killable)('workers share a port, and one that is killed is replaced', { timeout: 180_000 }, async () => {
  const cwd = scratchFolder();
  await runCli(['add', 'idx', '-', '--format', 'jsonl'], { cwd, input: '{"id":"a","text":"apples"}\n' });
  const { child, ending, url } = await serve(cwd, '--workers', '2');
  const workers = () => workersOf(child.pid);
  const metric = async (name: string) => {
    const text = await (await fetch(`${url}/metrics`)).text();
    return Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(text)?.[1]);
  };
  await expect.poll(() => workers().length, { timeout: 60_000 }).toBe(2);
  const before = workers();
  // The other one may still be loading: it is asked nothing before it can answer.
  for (let request = 0; request < 20; request++) expect((await search(url, 'fruit')).status).toBe(200);
  // Every worker answers some of them; the metrics are of all.
  const count = 'semantic_index_http_request_duration_seconds_count\\{method="POST",route="/search",status="200"\\}';
  await expect.poll(() => metric(count), { timeout: 60_000 }).toBe(20);
  expect(await metric('semantic_index_documents')).toBe(1);
  process.kill(Number(before[0]), 'SIGKILL');
  await expect.poll(() => workers().filter((pid) => !before.includes(pid)).length, { timeout: 60_000 }).toBe(1);
  for (let request = 0; request < 50; request++) expect((await search(url, 'fruit')).status).toBe(200);
  await runJson(['delete', 'idx', 'a'], { cwd });
  await runCli(['add', 'idx', '-', '--format', 'jsonl'], { cwd, input: '{"id":"b","text":"a bicycle"}\n' });
  for (let request = 0; request < 10; request++)
    expect(await search(url, 'wheels')).toMatchObject({ status: 200, id: 'b' });
  child.kill('SIGINT');
  const { code } = await ending;
  expect(code).toBe(0);
});
