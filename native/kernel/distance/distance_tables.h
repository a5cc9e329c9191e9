#ifndef SEMANTIC_INDEX_KERNEL_DISTANCE_DISTANCE_TABLES_H_
#define SEMANTIC_INDEX_KERNEL_DISTANCE_DISTANCE_TABLES_H_

#include "distance/distance.h"

namespace semantic_index {

/**
 * Each replaces the functions of a table that its instruction set improves on: fill_scalar sets all, avx512 comes after
 * avx2, avx512vnni after avx512. False when this build lacks the instruction set. Declarations only: the translation
 * units of the instruction sets include this and must share no inline function with others.
 */
void fill_scalar(DistanceTable* table);
bool fill_avx2(DistanceTable* table);
bool fill_avx512(DistanceTable* table);
bool fill_avx512vnni(DistanceTable* table);
bool fill_neon(DistanceTable* table);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_DISTANCE_DISTANCE_TABLES_H_
