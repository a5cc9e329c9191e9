#include "distance/vector_check.h"

#include <cmath>
#include <limits>
#include <vector>

#include "support/check.h"

using namespace semantic_index;

TEST(finds_the_first_number_that_is_not_finite) {
  std::vector<float> numbers(1000, 1.0f);
  CHECK_EQUAL(find_not_finite(numbers.data(), numbers.size()), -1);
  numbers[999] = std::numeric_limits<float>::infinity();
  CHECK_EQUAL(find_not_finite(numbers.data(), numbers.size()), 999);
  numbers[300] = std::nanf("");
  CHECK_EQUAL(find_not_finite(numbers.data(), numbers.size()), 300);
  CHECK_EQUAL(find_not_finite(numbers.data(), 0), -1);
}

TEST(finds_lengths_whose_squares_overflow_or_vanish) {
  const float rows[] = {0, 0, 3, 4, 1e-17f, 0, 1e17f, 1e17f, 1e-19f, 0, 1e19f, 0};
  double length = 0;
  CHECK_EQUAL(find_bad_length(rows, 8, 2, &length), -1);
  CHECK_EQUAL(find_bad_length(rows, 12, 2, &length), 4);
  CHECK(std::fabs(length - 1e-19) < 1e-24);
  CHECK_EQUAL(find_bad_length(rows + 10, 2, 2, &length), 0);
  CHECK(std::fabs(length - 1e19) < 1e14);
}
