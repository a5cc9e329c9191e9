// Examples of docs/api/postgres.md. scripts/api-pages.mjs copies each part into the page; a test compares the output.
import { copyIndex, postgres, SemanticIndex } from 'semantic-index';

await using source = await SemanticIndex.open('tickets');
await using target = await SemanticIndex.open(':memory:');
await source.addDocuments([
  { id: 'a', text: 'How to reset your password' },
  { id: 'b', text: 'Opening hours' },
]);

//# postgres
const location = postgres({ connectionString: 'postgres://app:secret@db.example.com/app', name: 'tickets' });
// await using index = await SemanticIndex.open(location);
//# PostgresLocation.toString
console.log(location.toString()); // => postgres://db.example.com/app#tickets
//# copyIndex
const { added, unchanged } = await copyIndex(source, target);
console.log(added, unchanged); // => 2 0
