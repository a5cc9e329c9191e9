// Examples of docs/api/annoy-index.md. scripts/api-pages.mjs copies each part into the page; a test compares the output.
import { AnnoyIndex } from 'semantic-index';

//# new AnnoyIndex
const index = new AnnoyIndex(3, 'angular', { seed: 42 });
console.log(index.f, index.metric); // => 3 angular
//# AnnoyIndex.addItem
index.addItem(0, [1, 0, 0]);
index.addItem(1, [0.9, 0.1, 0]);
//# AnnoyIndex.addItems
const items = index.addItems([
  [0, 0, 1],
  [0, 1, 0],
]);
console.log(items); // => 4
//# AnnoyIndex.getNItems
console.log(index.getNItems()); // => 4
//# AnnoyIndex.getItemVector
console.log(index.getItemVector(2)); // => Float32Array(3) [ 0, 0, 1 ]
//# AnnoyIndex.getItemVectors
console.log(index.getItemVectors(2, 2)); // => Float32Array(6) [ 0, 0, 1, 0, 1, 0 ]
//# AnnoyIndex.getDistance
console.log(index.getDistance(0, 2).toFixed(4)); // => 1.4142
//# AnnoyIndex.setSeed
index.setSeed(7);
//# AnnoyIndex.verbose
index.verbose(false);
//# AnnoyIndex.build
await index.build(10, { threads: 2 });
//# AnnoyIndex.getNTrees
console.log(index.getNTrees()); // => 10
//# AnnoyIndex.getNnsByVector
console.log(index.getNnsByVector([1, 0, 0], 2)); // => Int32Array(2) [ 0, 1 ]
const { distances } = index.getNnsByVector([1, 0, 0], 2, { includeDistances: true });
console.log(distances[0]); // => 0
//# AnnoyIndex.getNnsByItem
console.log(index.getNnsByItem(2, 1)); // => Int32Array(1) [ 2 ]
//# AnnoyIndex.getNnsByVectors
const batch = await index.getNnsByVectors(
  [
    [1, 0, 0],
    [0, 0, 1],
  ],
  1,
  { exact: true },
);
console.log(batch.items); // => Int32Array(2) [ 0, 2 ]
//# AnnoyIndex.buildGraph
await index.buildGraph();
console.log(index.info().graph.inUse); // => true
//# AnnoyIndex.save
await index.save('tiny.ann');
//# AnnoyIndex.info
const { items: count, trees, path } = index.info();
console.log(count, trees, path?.endsWith('tiny.ann')); // => 4 10 true
//# AnnoyIndex.memoryUsage
console.log(index.memoryUsage().heap); // => 0
//# AnnoyIndex.prefault
await index.prefault();
//# AnnoyIndex.validate
const { valid } = await index.validate();
console.log(valid); // => true
//# AnnoyIndex.load
const other = new AnnoyIndex(3, 'angular');
await other.load('tiny.ann');
console.log(other.getNItems()); // => 4
//# AnnoyIndex.unload
other.unload();
console.log(other.isLoaded); // => false
//# AnnoyIndex.serialize
const bytes = await index.serialize({ compress: 'gzip' });
//# AnnoyIndex.deserialize
await other.deserialize(bytes);
console.log(other.getNnsByVector([1, 0, 0], 1)); // => Int32Array(1) [ 0 ]
//# AnnoyIndex.toSnapshot
const snapshot = await index.toSnapshot({ mode: 'disk' });
//# AnnoyIndex.fromSnapshot
const restored = await AnnoyIndex.fromSnapshot(snapshot);
console.log(restored.getNItems()); // => 4
restored.close();
//# AnnoyIndex.unbuild
await index.unbuild();
index.addItem(4, [1, 1, 1]);
//# AnnoyIndex.open
const opened = await AnnoyIndex.open('tiny.ann', { loadMode: 'eager' });
console.log(opened.f, opened.getNItems()); // => 3 4
//# AnnoyIndex.close
opened.close();
console.log(opened.isLoaded); // => false
//# AnnoyIndex.onDiskBuild
const large = new AnnoyIndex(3, 'euclidean');
large.onDiskBuild('large.ann');
large.addItems([
  [1, 2, 3],
  [4, 5, 6],
]);
await large.build();
console.log(large.path?.endsWith('large.ann')); // => true
