#ifndef SEMANTIC_INDEX_TEST_SUPPORT_CHECK_H_
#define SEMANTIC_INDEX_TEST_SUPPORT_CHECK_H_

#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>

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

[[noreturn]] inline void fail(const char* file, int line, const std::string& message) {
  std::fprintf(stderr, "%s:%d: %s\n", file, line, message.c_str());
  std::exit(1);
}

template <typename Left, typename Right>
void check_equal(const Left& left, const Right& right, const char* text, const char* file, int line) {
  if (left == right) return;
  std::ostringstream message;
  message << text << ": " << left << " is not " << right;
  fail(file, line, message.str());
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

#define CHECK_OK(expression)                                                                              \
  do {                                                                                                    \
    const semantic_index::Status check_status = (expression);                                             \
    if (!check_status.ok()) {                                                                             \
      semantic_index_test::fail(__FILE__, __LINE__,                                                       \
                                std::string(#expression " failed: ") + check_status.message + " (code " + \
                                    std::to_string(static_cast<int>(check_status.code)) + ")");           \
    }                                                                                                     \
  } while (false)

#endif  // SEMANTIC_INDEX_TEST_SUPPORT_CHECK_H_
