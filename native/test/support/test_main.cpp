// The main function of every test program.

#include <cstdio>
#include <string>

#include "support/check.h"

/** Runs all tests, or those whose names contain the first argument. */
int main(int count, char** arguments) {
  int run = 0;
  for (const semantic_index_test::Test* test = semantic_index_test::Test::first(); test != nullptr; test = test->next) {
    if (count > 1 && std::string(test->name).find(arguments[1]) == std::string::npos) continue;
    std::printf("%s\n", test->name);
    std::fflush(stdout);
    test->body();
    ++run;
  }
  std::printf("%d tests passed\n", run);
  return run > 0 ? 0 : 1;
}
