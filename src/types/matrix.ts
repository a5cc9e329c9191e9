/**
 * Element type of a matrix file, in the notation of NumPy: a kind (f float, i signed, u unsigned integer, b boolean)
 * and a size in bytes.
 */
export type MatrixDtype = 'f2' | 'f4' | 'f8' | 'i1' | 'i2' | 'i4' | 'i8' | 'u1' | 'u2' | 'u4' | 'b1';

/** 'C': row by row. 'F': column by column, as in Fortran and R. */
export type MatrixOrder = 'C' | 'F';

/** Typed arrays for reading and writing rows of a matrix. */
export type NumberArray = Float32Array | Float64Array | Int32Array;
