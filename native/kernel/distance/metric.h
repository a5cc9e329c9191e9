#ifndef SEMANTIC_INDEX_KERNEL_DISTANCE_METRIC_H_
#define SEMANTIC_INDEX_KERNEL_DISTANCE_METRIC_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/status.h"

namespace semantic_index {

/** The five distances of Annoy. */
enum class Metric { angular, euclidean, manhattan, dot, hamming };

/**
 * Spotify changed the node of the dot metric once. `released` is what every release up to 1.17.3 (PyPI) and npm's
 * `annoy` have: dot_factor at 12, vector at 16. `extended` is what the main branch has since 2023: dot_factor at 12,
 * norm at 16, a built flag at 20, vector at 24. Other metrics have one layout and ignore this.
 */
enum class DotLayout { released, extended };

/** More dimensions than this are refused: it keeps every size far from overflow. */
constexpr int32_t kMaxDimensions = 1 << 20;
/** Items and nodes are numbered by int32 in Annoy's files. */
constexpr int64_t kMaxNodes = INT32_MAX;

/**
 * Where things are in one node of an Annoy file. All nodes of a file have `node_bytes`; integers and floats are
 * little-endian. See native/FORMAT.md.
 */
struct NodeLayout {
  Metric metric = Metric::angular;
  DotLayout dot_layout = DotLayout::released;
  /** Numbers in a vector, as the user counts them (bits for hamming). */
  int32_t dimensions = 0;
  /** Elements stored: floats, or 64-bit words for hamming. */
  int32_t elements = 0;
  /** Bytes of one node. */
  size_t node_bytes = 0;
  size_t children_offset = 0;
  size_t vector_offset = 0;
  size_t vector_bytes = 0;
  /** K: a node with at most this many descendants lists them instead of holding a hyperplane. */
  int32_t leaf_capacity = 0;
};

/** Offset of n_descendants, in every metric. */
constexpr size_t kDescendantsOffset = 0;
/** Offset of the squared norm in an item of the angular metric; 0 there means: not stored. */
constexpr size_t kAngularNormOffset = 4;
/** Offset of the plane's constant in a split of the euclidean and manhattan metrics. */
constexpr size_t kPlaneConstantOffset = 4;
/** Offset of the extra coordinate of the dot metric. */
constexpr size_t kDotFactorOffset = 12;
/** Offsets that only the extended dot layout has. */
constexpr size_t kDotNormOffset = 16;
constexpr size_t kDotBuiltOffset = 20;

/**
 * Fills `layout` for vectors of `dimensions` numbers. invalid_argument when `dimensions` is not in
 * 1..kMaxDimensions.
 */
Status make_layout(Metric metric, int32_t dimensions, NodeLayout* layout, DotLayout dot_layout = DotLayout::released);

/** The metric's name as in the public interface: "angular", ... */
const char* metric_name(Metric metric);

/** True, and `*metric` set, when `name` is one of the five. */
bool metric_from_name(const char* name, Metric* metric);

/**
 * Packs `dimensions` numbers into bits, as Annoy does: bit i of the words is set when number i is above 0.5. `words`
 * has room for (dimensions + 63) / 64.
 */
void pack_bits(const float* numbers, int32_t dimensions, uint64_t* words);

/** The inverse of `pack_bits`: 0 or 1 for each bit. */
void unpack_bits(const uint64_t* words, int32_t dimensions, float* numbers);

/**
 * Turns the internal distance into the one that users see: the square root for angular and euclidean (never below
 * 0), the sign changed for dot, else itself.
 */
float public_distance(Metric metric, float internal);

/**
 * One read of an int32 that another process may be changing: what was checked is what is used. For file bytes.
 */
static inline int32_t read_int32(const uint8_t* address) { return *reinterpret_cast<const volatile int32_t*>(address); }

static inline float read_float(const uint8_t* address) { return *reinterpret_cast<const volatile float*>(address); }

static inline void write_int32(uint8_t* address, int32_t value) { std::memcpy(address, &value, sizeof value); }

static inline void write_float(uint8_t* address, float value) { std::memcpy(address, &value, sizeof value); }

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_DISTANCE_METRIC_H_
