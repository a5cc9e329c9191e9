#include "support/check.h"

#include <cstdio>
#include <cstdlib>

namespace semantic_index_test {

void fail(const char* file, int line, const char* message) {
  std::fprintf(stderr, "%s:%d: %s\n", file, line, message);
  std::exit(1);
}

void check_ok(const semantic_index::Status& status, const char* text, const char* file, int line) {
  if (status.ok()) return;
  std::ostringstream message;
  message << text << " failed: " << status.message << " (code " << static_cast<int>(status.code) << ")";
  fail(file, line, message.str().c_str());
}

}  // namespace semantic_index_test
