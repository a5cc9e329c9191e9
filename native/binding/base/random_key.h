#ifndef SEMANTIC_INDEX_BINDING_RANDOM_KEY_H_
#define SEMANTIC_INDEX_BINDING_RANDOM_KEY_H_

#include "base/sip_hash.h"

namespace semantic_index {

/** A key that nothing outside the process knows. */
HashKey random_key();

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_BINDING_RANDOM_KEY_H_
