#include "terms/terms_file.h"

#include <new>

namespace semantic_index {

Status open_terms_file(const std::string& path, TermsFilePointer* file) try {
  auto opened = std::make_shared<TermsFile>();
  Status status = MappedFile::open(path, &opened->file);
  if (!status.ok()) return status;
  status = TermsView::open(opened->file->data(), opened->file->size(), &opened->view, &opened->file->changed());
  if (!status.ok()) {
    status.message = path + ": " + status.message;
    return status;
  }
  *file = std::move(opened);
  return Status::success();
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

}  // namespace semantic_index
