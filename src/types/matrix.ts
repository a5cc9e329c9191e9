/**
 * How a matrix file stores its numbers, in NumPy's short names: a kind (f float, i signed, u unsigned integer, b boolean)
 * and a size in bytes.
 */
export type MatrixDtype = 'f2' | 'f4' | 'f8' | 'i1' | 'i2' | 'i4' | 'i8' | 'u1' | 'u2' | 'u4' | 'b1';

/** 'C': row after row. 'F': column after column, as Fortran and R store matrices. */
export type MatrixOrder = 'C' | 'F';

/** The typed arrays that numbers of a matrix are read into and written from. */
export type NumberArray = Float32Array | Float64Array | Int32Array;
