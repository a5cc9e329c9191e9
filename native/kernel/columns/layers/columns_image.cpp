#include "columns/layers/columns_image.h"

#include <new>

namespace semantic_index {

Status open_columns_file(const std::string& path, ColumnsImagePointer* image) try {
  auto opened = std::make_shared<ColumnsImage>();
  Status status = MappedFile::open(path, &opened->file);
  if (status.ok()) {
    const MappedFile& file = *opened->file;
    status = ColumnsView::open(file.data(), file.size(), &opened->view, &file.changed());
  }
  if (status.ok()) *image = std::move(opened);
  return status;
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

}  // namespace semantic_index
