#include "search/search_workspace.h"

#include <mutex>
#include <new>
#include <utility>

namespace semantic_index {

namespace {

/** Workspaces that are kept for the next searches. */
constexpr size_t kMaxIdle = 8;

struct IdleWorkspaces {
  std::mutex mutex;
  std::vector<std::unique_ptr<SearchWorkspace>> workspaces;
};

IdleWorkspaces& idle_workspaces() {
  // Never destroyed: threads of the pool may search until the process ends.
  static IdleWorkspaces* const idle = new IdleWorkspaces();
  return *idle;
}

}  // namespace

ScratchLease::ScratchLease() {
  IdleWorkspaces& idle = idle_workspaces();
  {
    const std::lock_guard<std::mutex> lock(idle.mutex);
    if (!idle.workspaces.empty()) {
      workspace_ = std::move(idle.workspaces.back());
      idle.workspaces.pop_back();
      return;
    }
  }
  workspace_ = std::make_unique<SearchWorkspace>();
}

ScratchLease::~ScratchLease() {
  IdleWorkspaces& idle = idle_workspaces();
  const std::lock_guard<std::mutex> lock(idle.mutex);
  if (idle.workspaces.capacity() < kMaxIdle) {
    try {
      idle.workspaces.reserve(kMaxIdle);
    } catch (const std::bad_alloc&) {
      return;
    }
  }
  if (idle.workspaces.size() < kMaxIdle) idle.workspaces.push_back(std::move(workspace_));
}

}  // namespace semantic_index
