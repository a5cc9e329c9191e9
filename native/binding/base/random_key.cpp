#include "binding/base/random_key.h"

#include <random>

namespace semantic_index {

HashKey random_key() {
  std::random_device device;
  const auto word = [&device] { return static_cast<uint64_t>(device()) << 32 | device(); };
  return {word(), word()};
}

}  // namespace semantic_index
