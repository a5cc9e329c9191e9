#include "segment/graph_index.h"

#include <new>
#include <utility>

#include "base/checksum.h"
#include "io/atomic_file.h"

namespace semantic_index {

Status graph_from_forest(const Forest& forest, const GraphBuildOptions& options, GraphPointer* graph) try {
  auto made = std::make_shared<GraphIndex>();
  Status status = build_graph_index(forest.view, options, &made->memory);
  if (status.ok()) status = GraphView::open(made->data(), made->size(), forest.view, &made->view);
  if (!status.ok()) return status;
  made->state.is_own.store(true);
  *graph = std::move(made);
  return status;
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

Status graph_from_file(const std::string& path, const Forest& forest, const std::string& content,
                       GraphPointer* graph) try {
  auto made = std::make_shared<GraphIndex>();
  Status status = MappedFile::open(path, &made->file);
  if (!status.ok()) return status;
  const MappedFile& file = *made->file;
  status = GraphView::open(file.data(), file.size(), forest.view, &made->view, &file.changed());
  if (!status.ok()) return status;
  if (!content.empty()) {
    if (content != checksum_text(made->view.header().forest_checksum)) {
      return Status::failure(StatusCode::invalid_argument, "the graph index was derived from another file");
    }
    made->state.is_own.store(true);
  }
  *graph = std::move(made);
  return status;
} catch (const std::bad_alloc&) {
  return Status::no_memory();
}

Status save_graph(const GraphIndex& graph, const std::string& path, const std::atomic<bool>* cancel) {
  const BytesView all{graph.data(), graph.size()};
  const Status status = save_atomically(path, &all, 1, cancel);
  if (!status.ok() || !graph.file || !graph.file->changed().load()) return status;
  return Status::failure(StatusCode::file_changed, "the graph index was cut short while it was copied");
}

}  // namespace semantic_index
