// Examples of docs/api/vector-matrix.md. scripts/api-pages.mjs copies each part into the page; a test compares the output.
import { VectorMatrix } from 'semantic-index';

//# VectorMatrix.create
const matrix = await VectorMatrix.create('vectors.npy', { rows: 4, columns: 3, dtype: 'f4' });
console.log(matrix.rows, matrix.columns, matrix.dtype); // => 4 3 f4
//# VectorMatrix.setRows
await matrix.setRows(0, Float32Array.of(1, 2, 3, 4, 5, 6));
//# VectorMatrix.flush
await matrix.flush();
//# VectorMatrix.getRows
console.log(await matrix.getRows(1, 2)); // => Float32Array(6) [ 4, 5, 6, 0, 0, 0 ]
const doubles = await matrix.getRows(0, 1, new Float64Array(3));
console.log(doubles); // => Float64Array(3) [ 1, 2, 3 ]
//# VectorMatrix.blocks
for await (const { first, count } of matrix.blocks({ blockRows: 3 })) console.log(first, count);
// => 0 3
// => 3 1
//# VectorMatrix.close
await matrix.close();
//# VectorMatrix.open
await using opened = await VectorMatrix.open('vectors.npy');
console.log(opened.rows, opened.byteLength); // => 4 48
