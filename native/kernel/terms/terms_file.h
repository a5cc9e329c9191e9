#ifndef SEMANTIC_INDEX_KERNEL_TERMS_TERMS_FILE_H_
#define SEMANTIC_INDEX_KERNEL_TERMS_TERMS_FILE_H_

#include <memory>
#include <string>

#include "base/status.h"
#include "io/mapped_file.h"
#include "terms/terms_view.h"

namespace semantic_index {

/** A terms file and the map that holds it. */
struct TermsFile {
  std::unique_ptr<MappedFile> file;
  TermsView view;
};

/** Immutable and shared: a search keeps the file that it started with. */
using TermsFilePointer = std::shared_ptr<const TermsFile>;

/** Maps the terms file at `path`. Fails as MappedFile::open and TermsView::open do. */
Status open_terms_file(const std::string& path, TermsFilePointer* file);

}  // namespace semantic_index

#endif  // SEMANTIC_INDEX_KERNEL_TERMS_TERMS_FILE_H_
