// How many servers, how much memory and disk would so many documents need in PostgreSQL? Measures the bytes of a document in an index that is
// there, table by table, and multiplies. Nothing is measured at that size: builds and searches must be. Run:
// npx tsx bench/capacity.ts --help; SEMANTIC_INDEX_POSTGRES is the address of the database.
import { benchFlags } from './flags.js';

const flags = benchFlags('Extrapolates the size of an index in PostgreSQL to more documents.', {
  name: ['equality', 'schema of an index that is optimized'],
  documents: [1_000_000_000, 'documents'],
  memory: [128, 'GiB of memory of a server'],
  share: [0.7, 'of the memory for the HNSW index, which searches walk at random'],
  standbys: [1, 'copies of each server'],
});
const address = process.env.SEMANTIC_INDEX_POSTGRES;
if (address === undefined) throw new Error('Set SEMANTIC_INDEX_POSTGRES to the address of a database with an index');
const { Client } = (await import('pg')).default;
const client = new Client({ connectionString: address });
await client.connect();
const { rows } = await client.query(
  `SELECT c.relname AS name, c.relkind AS kind,
     pg_relation_size(c.oid)::float8 + coalesce(pg_relation_size(nullif(c.reltoastrelid, 0)), 0)::float8 AS bytes
   FROM pg_class c WHERE c.relnamespace = to_regnamespace($1) AND c.relkind IN ('r', 'i') ORDER BY bytes DESC`,
  [`"${flags.name.replaceAll('"', '""')}"`],
);
const counted = await client.query(
  `SELECT coalesce(sum(documents), 0)::float8 AS documents FROM "${flags.name.replaceAll('"', '""')}".sizes`,
);
await client.end();
const present = counted.rows[0].documents as number;
if (!(present > 0)) throw new Error(`The index ${flags.name} has no documents`);
const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(0)} GB`;
console.log(`Measured in ${flags.name} with ${present} documents, for ${flags.documents}:\n`);
console.log('| table or index | bytes a document | in all |');
console.log('|---|---|---|');
let total = 0;
let graph = 0;
for (const { name, bytes } of rows as { name: string; bytes: number }[]) {
  const each = bytes / present;
  total += each;
  if (name.startsWith('vectors_hnsw_')) graph += each;
  if (each >= 1) console.log(`| ${name} | ${each.toFixed(0)} | ${gigabytes(each * flags.documents)} |`);
}
console.log(`| all | ${total.toFixed(0)} | ${gigabytes(total * flags.documents)} |`);
const room = flags.memory * 2 ** 30 * flags.share;
const servers = Math.ceil((graph * flags.documents) / room);
console.log(
  `\nHNSW in memory: ${gigabytes(graph * flags.documents)}, so ${servers} servers of ${flags.memory} GiB, each with ${gigabytes((total * flags.documents) / servers)} on disk; with standbys ${servers * (1 + flags.standbys)}.`,
);
