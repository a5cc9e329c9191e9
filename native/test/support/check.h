#ifndef SEMANTIC_INDEX_TEST_SUPPORT_CHECK_H_
#define SEMANTIC_INDEX_TEST_SUPPORT_CHECK_H_

#include <sstream>

#include "base/status.h"

namespace semantic_index_test {

/** Whether a sanitizer watches, which takes ten times as long: recall is measured without one. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kIsSanitized = true;
#else
constexpr bool kIsSanitized = false;
#endif

/** A test of a program: `TEST(name) { ... }` adds itself to the list that `main` runs. */
struct Test {
  Test(const char* test_name, void (*test_body)()) : name(test_name), body(test_body), next(first()) { first() = this; }

  static Test*& first() {
    static Test* head = nullptr;
    return head;
  }

  const char* name;
  void (*body)();
  Test* next;
};

// Defined in check.cpp: what hundreds of checks expand to has to compile quickly.

/** Ends the program with a message. */
[[noreturn]] void fail(const char* file, int line, const char* message);

/** `text` is what `status` was the result of. */
void check_ok(const semantic_index::Status& status, const char* text, const char* file, int line);

template <typename Left, typename Right>
void check_equal(const Left& left, const Right& right, const char* text, const char* file, int line) {
  if (left == right) return;
  std::ostringstream message;
  message << text << ": " << left << " is not " << right;
  fail(file, line, message.str().c_str());
}

}  // namespace semantic_index_test

#define TEST(name)                                                                \
  static void test_##name();                                                      \
  static const semantic_index_test::Test registration_##name(#name, test_##name); \
  static void test_##name()

#define CHECK(condition)                                                                     \
  do {                                                                                       \
    if (!(condition)) semantic_index_test::fail(__FILE__, __LINE__, "expected " #condition); \
  } while (false)

#define CHECK_EQUAL(left, right) \
  semantic_index_test::check_equal((left), (right), #left " == " #right, __FILE__, __LINE__)

#define CHECK_OK(expression) semantic_index_test::check_ok((expression), #expression, __FILE__, __LINE__)

#endif  // SEMANTIC_INDEX_TEST_SUPPORT_CHECK_H_
