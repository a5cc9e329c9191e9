import { readdirSync, readFileSync } from 'node:fs';
import type { Client } from 'pg';

/** Bytes that the processes of the server have for themselves or share, from /proc; undefined where that cannot be read. */
export async function serverMemory(client: Client): Promise<number | undefined> {
  const { rows } = await client.query('SELECT pg_backend_pid() AS process');
  const parentOf = (process: string): string =>
    readFileSync(`/proc/${process}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')[1] as string;
  try {
    const server = parentOf(String(rows[0].process));
    let kilobytes = 0;
    for (const process of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      try {
        if (process !== server && parentOf(process) !== server) continue;
        kilobytes += Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${process}/smaps_rollup`, 'utf8'))?.[1] ?? 0);
      } catch {
        // It has ended meanwhile.
      }
    }
    return kilobytes * 1_024;
  } catch {
    return undefined;
  }
}

export const gigabytes = (bytes: number | undefined): string =>
  bytes === undefined ? 'unknown' : `${(bytes / 1e9).toFixed(2)} GB`;

/** The bytes of the tables and indexes of a schema, and the largest of them. */
export async function serverDisk(client: Client, schema: string): Promise<string> {
  const { rows } = await client.query(
    `SELECT c.relname AS name, pg_relation_size(c.oid)::float8 + coalesce(pg_relation_size(nullif(c.reltoastrelid, 0)), 0)::float8 AS bytes
     FROM pg_class c WHERE c.relnamespace = to_regnamespace($1) AND c.relkind IN ('r', 'i') ORDER BY bytes DESC`,
    [schema],
  );
  const sizes = rows as { name: string; bytes: number }[];
  const all = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
  const largest = sizes.slice(0, 6).map(({ name, bytes }) => `${name} ${gigabytes(bytes)}`);
  return `disk ${gigabytes(all)}: ${largest.join(', ')}`;
}
