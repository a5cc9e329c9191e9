#ifndef SEMANTIC_INDEX_BINDING_TERMS_TERMS_PARTS_H_
#define SEMANTIC_INDEX_BINDING_TERMS_TERMS_PARTS_H_

#include <napi.h>

#include <vector>

#include "binding/base/bitsets.h"
#include "binding/terms/terms_file.h"
#include "binding/terms/terms_tail.h"
#include "terms/terms_part.h"

namespace semantic_index {

/** Terms files and tails for work on other threads: owns what the parts point to. */
class OwnedTermsParts {
 public:
  /** (sources: (TermsFile | TermsTail)[], items: number[], dead: (Uint32Array | undefined)[]), from `index` on. */
  OwnedTermsParts(const Napi::CallbackInfo& info, size_t index);

  const std::vector<TermsPart>& parts() const { return parts_; }

 private:
  std::vector<TermsPart> parts_;
  std::vector<TermsFilePointer> files_;
  std::vector<TermsTailPointer> tails_;
  BitsetCopies dead_;
};

/**
 * (path: string, sources, items, dead, source: number, threads: number, task: Task)
 * => Promise<{ items, bytes, checksum }>: merges the parts without the dead items into a new file.
 */
Napi::Value write_terms(const Napi::CallbackInfo& info);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_BINDING_TERMS_TERMS_PARTS_H_
