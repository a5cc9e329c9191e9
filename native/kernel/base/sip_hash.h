#ifndef SEMANTIC_INDEX_KERNEL_BASE_SIP_HASH_H_
#define SEMANTIC_INDEX_KERNEL_BASE_SIP_HASH_H_

#include <cstddef>
#include <cstdint>

namespace semantic_index {

/** The secret of a hash table: keys that collide cannot be chosen without it. */
struct HashKey {
  uint64_t low = 0;
  uint64_t high = 0;
};

/** SipHash-1-3 (Aumasson, Bernstein: "SipHash: a fast short-input PRF", 2012). Not a checksum: for tables in memory. */
uint64_t sip_hash(const HashKey& key, const void* data, size_t size);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_BASE_SIP_HASH_H_
