// How many rows are read at a time. Larger batches save little; smaller ones cost a call to another thread more often.

/** Documents with their texts: a batch is about a megabyte, and goes to another thread in a few milliseconds. */
export const documentsPerRead = 512;

/** Vectors: 3 MB at 384 dimensions, read in a few milliseconds, after which other calls to the thread have their turn. */
export const vectorsPerRead = 2_048;

/** Vectors of the tail: read in one transaction while a search waits, so with as few calls as memory allows (12 MB). */
export const tailVectorsPerRead = 8_192;
