#ifndef SEMANTIC_INDEX_TEST_SUPPORT_CHECK_FOREST_H_
#define SEMANTIC_INDEX_TEST_SUPPORT_CHECK_FOREST_H_

#include <cstdio>

#include "annoy/forest_view.h"
#include "annoy/validate.h"
#include "support/check.h"

namespace semantic_index_test {

using namespace semantic_index;

/** Fails the test, and says where, unless the whole structure of the forest is sound. */
inline void check_valid(const ForestView& view) {
  StructureReport report;
  CHECK_OK(validate_structure(view, &report));
  for (const Finding& finding : report.findings) {
    std::printf("  %s tree %d node %d item %d\n", defect_name(finding.defect), finding.tree, finding.node,
                finding.item);
  }
  CHECK_EQUAL(report.errors, 0);
}

}  // namespace semantic_index_test

#endif  // SEMANTIC_INDEX_TEST_SUPPORT_CHECK_FOREST_H_
