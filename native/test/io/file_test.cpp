// Files: maps, on-disk builds, saves that are whole or not there, and maps whose file is cut short.

#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "annoy/validate.h"
#include "exact/scan.h"
#include "io/atomic_file.h"
#include "io/mapped_file.h"
#include "support/check.h"
#include "support/generate.h"

#if !defined(_WIN32)
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

using namespace semantic_index_test;

namespace {

std::string temporary_path(const char* name) {
  const char* folder = std::getenv("TMPDIR");
  return std::string(folder != nullptr ? folder : "/tmp") + "/semantic-index-" + std::to_string(getpid()) + "-" + name;
}

std::string content_of(const std::string& path) {
  std::ostringstream content;
  content << std::ifstream(path, std::ios::binary).rdbuf();
  return content.str();
}

Status save(const std::string& path, const std::string& content) {
  const BytesView pieces[] = {
      {content.data(), static_cast<int64_t>(content.size() / 2)},
      {content.data() + content.size() / 2, static_cast<int64_t>(content.size() - content.size() / 2)}};
  return save_atomically(path, pieces, 2);
}

}  // namespace

TEST(saves_replace_files_whole) {
  const std::string path = temporary_path("save");
  CHECK_OK(save(path, "first"));
  CHECK_EQUAL(content_of(path), std::string("first"));
  std::unique_ptr<MappedFile> map;
  CHECK_OK(MappedFile::open(path, &map));
  CHECK_OK(save(path, "the second one"));
  CHECK_EQUAL(content_of(path), std::string("the second one"));
  // The map still shows the file that had the name before.
  CHECK_EQUAL(std::string(reinterpret_cast<const char*>(map->data()), 5), std::string("first"));
  CHECK(!map->changed().load());
  FileIdentity now;
  CHECK_OK(file_identity(path, &now));
  CHECK(now.inode != map->identity().inode || now.size != map->identity().size);
  CHECK(map->has_changed());
  std::remove(path.c_str());
  CHECK(!map->has_changed());
}

TEST(a_write_into_a_mapped_file_is_noticed) {
  const std::string path = temporary_path("written");
  CHECK_OK(save(path, "first"));
  std::unique_ptr<MappedFile> map;
  CHECK_OK(MappedFile::open(path, &map));
  CHECK(!map->has_changed());
  FILE* const file = std::fopen(path.c_str(), "r+b");
  CHECK(file != nullptr && std::fputc('F', file) == 'F' && std::fclose(file) == 0);
  CHECK(map->has_changed());
  std::remove(path.c_str());
}

TEST(failures_have_reasons) {
  std::unique_ptr<MappedFile> map;
  const std::string missing = temporary_path("missing");
  Status status = MappedFile::open(missing, &map);
  CHECK(status.code == StatusCode::io_error);
  CHECK_EQUAL(status.system_error, ENOENT);
  CHECK(status.message.find(missing) != std::string::npos);
  CHECK_EQUAL(MappedFile::open("/tmp", &map).system_error, EISDIR);
  CHECK_EQUAL(save("/tmp", "x").system_error, EISDIR);
  CHECK_EQUAL(save(missing + "/inside", "x").system_error, ENOENT);
  CHECK_EQUAL(MappedFile::create(missing + "/inside", 10, &map).system_error, ENOENT);
  // A full device is reported, and nothing is left over.
  if (FILE* full = std::fopen("/dev/full", "w")) {
    std::fclose(full);
    CHECK_EQUAL(save("/dev/full/x", "x").system_error, ENOTDIR);
  }
}

TEST(empty_files_and_prefault) {
  const std::string path = temporary_path("empty");
  CHECK_OK(save(path, ""));
  std::unique_ptr<MappedFile> map;
  CHECK_OK(MappedFile::open(path, &map));
  CHECK_OK(map->prefault());
  CHECK_EQUAL(map->size(), 0);
  NodeLayout layout;
  CHECK_OK(make_layout(Metric::angular, 4, &layout));
  ForestView view;
  CHECK(ForestView::open(map->data(), map->size(), layout, &view).code == StatusCode::wrong_layout);
  CHECK_OK(save(path, std::string(100000, 'x')));
  CHECK_OK(MappedFile::open(path, &map));
  CHECK_OK(map->prefault());
  CHECK_EQUAL(map->data()[99999], 'x');
  std::remove(path.c_str());
}

TEST(on_disk_build_is_the_same) {
  for (Metric metric : kMetrics) {
    const std::string path = temporary_path("disk");
    const std::vector<float> data = random_rows(metric, 5000, 12, 2);
    const Index index = build_index(metric, 12, data, 4, 1, 1);
    std::unique_ptr<NodeStorage> storage;
    CHECK_OK(NodeStorage::on_disk(index.layout, path, &storage));
    for (int32_t item = 0; item < 5000; ++item) CHECK_OK(storage->set_item(item, data.data() + item * 12));
    // A cancelled build leaves nothing behind.
    std::atomic<bool> cancel{true};
    BuildOptions options;
    options.trees = 4;
    options.seed = 1;
    options.threads = 2;
    options.cancel = &cancel;
    BuildResult result;
    CHECK(build_forest(storage.get(), options, &result).code == StatusCode::cancelled);
    CHECK_EQUAL(storage->nodes(), 5000);
    options.cancel = nullptr;
    CHECK_OK(build_forest(storage.get(), options, &result));
    CHECK_OK(storage->finish());
    CHECK_EQUAL(storage->bytes(), index.storage->bytes());
    CHECK_EQUAL(std::memcmp(storage->data(), index.storage->data(), static_cast<size_t>(storage->bytes())), 0);
    storage.reset();
    const std::string content = content_of(path);
    CHECK_EQUAL(content.size(), static_cast<size_t>(index.storage->bytes()));
    CHECK_EQUAL(std::memcmp(content.data(), index.storage->data(), content.size()), 0);

    std::unique_ptr<MappedFile> map;
    CHECK_OK(MappedFile::open(path, &map));
    ForestView view;
    CHECK_OK(ForestView::open(map->data(), map->size(), index.layout, &view, &map->changed()));
    CHECK_EQUAL(view.trees(), 4);
    std::remove(path.c_str());
  }
}

#if !defined(_WIN32)

TEST(reports_a_truncated_file_instead_of_crashing) {
  const std::string path = temporary_path("cut");
  const std::vector<float> data = random_rows(Metric::angular, 20000, 32, 2);
  const Index index = build_index(Metric::angular, 32, data, 3);
  const BytesView piece = {index.storage->data(), index.storage->bytes()};
  for (int64_t left : {int64_t{0}, int64_t{5000}, index.storage->bytes() / 2, index.storage->bytes() - 4096}) {
    CHECK_OK(save_atomically(path, &piece, 1));
    std::unique_ptr<MappedFile> map;
    CHECK_OK(MappedFile::open(path, &map));
    ForestView view;
    CHECK_OK(ForestView::open(map->data(), map->size(), index.layout, &view, &map->changed()));
    CHECK_EQUAL(truncate(path.c_str(), left), 0);
    // Several threads at once, as they would in an application.
    std::vector<std::thread> threads;
    for (int number = 0; number < 3; ++number) {
      threads.emplace_back([&] {
        SearchScratch scratch;
        SearchOptions options;
        options.search_k = 100000;
        int32_t items[10];
        int32_t found;
        const Status status = view.search(data.data(), options, &scratch, items, nullptr, &found);
        CHECK(status.code == StatusCode::file_changed);
        StructureReport report;
        CHECK(validate_structure(view, &report).code == StatusCode::file_changed);
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(map->changed().load());
    float vector[32];
    CHECK(view.item_vector(19999, vector).code == StatusCode::file_changed);
    float distance;
    CHECK(view.distance(7, 19999, &distance).code == StatusCode::file_changed);
    // Another map of a whole file works on.
    CHECK_OK(save_atomically(path, &piece, 1));
    std::unique_ptr<MappedFile> fresh;
    CHECK_OK(MappedFile::open(path, &fresh));
    CHECK_OK(fresh->prefault());
    CHECK(!fresh->changed().load());
  }
  std::remove(path.c_str());
}

TEST(refuses_fifos_without_waiting) {
  const std::string path = temporary_path("fifo");
  CHECK_EQUAL(mkfifo(path.c_str(), 0600), 0);
  std::unique_ptr<MappedFile> map;
  CHECK(MappedFile::open(path, &map).code == StatusCode::io_error);
  CHECK(MappedFile::open("/dev/null", &map).code == StatusCode::io_error);
  std::remove(path.c_str());
}

TEST(guards_more_than_4096_maps) {
  const std::string path = temporary_path("guards");
  CHECK_OK(save(path, std::string(8192, 'x')));
  std::vector<std::unique_ptr<MappedFile>> maps(9000);
  for (std::unique_ptr<MappedFile>& map : maps) CHECK_OK(MappedFile::open(path, &map));
  // Slots of maps that ended are taken again.
  for (size_t index = 0; index < maps.size(); index += 2) CHECK_OK(MappedFile::open(path, &maps[index]));
  CHECK_EQUAL(truncate(path.c_str(), 0), 0);
  for (const std::unique_ptr<MappedFile>& map : maps) {
    CHECK_OK(map->prefault());
    CHECK(map->changed().load());
  }
  std::remove(path.c_str());
}

TEST(saves_to_the_longest_name) {
  std::string path = temporary_path("long-");
  path += std::string(255 - (path.size() - path.rfind('/') - 1), 'n');
  CHECK_OK(save(path, "first"));
  CHECK_OK(save(path, "second"));
  CHECK_EQUAL(content_of(path), std::string("second"));
  std::remove(path.c_str());
}

TEST(a_cancelled_save_keeps_the_old_file) {
  const std::string path = temporary_path("cancelled");
  CHECK_OK(save(path, "first"));
  const std::atomic<bool> cancel{true};
  const BytesView piece{"second", 6};
  CHECK(save_atomically(path, &piece, 1, &cancel).code == StatusCode::cancelled);
  CHECK_EQUAL(content_of(path), std::string("first"));
  std::remove(path.c_str());
}

TEST(other_faults_still_end_the_process) {
  const std::string path = temporary_path("fault");
  CHECK_OK(save(path, std::string(8192, 'x')));
  std::unique_ptr<MappedFile> map;
  CHECK_OK(MappedFile::open(path, &map));
  const pid_t child = fork();
  if (child == 0) {
    raise(SIGBUS);
    _exit(0);
  }
  int result = 0;
  CHECK_EQUAL(waitpid(child, &result, 0), child);
  // Ended by the signal, or by the report of the sanitizer that was installed before this handler.
  CHECK(!WIFEXITED(result) || WEXITSTATUS(result) != 0);
  std::remove(path.c_str());
}

TEST(killed_saves_leave_old_or_new) {
  const std::string path = temporary_path("killed");
  const std::string first(3000000, 'a');
  const std::string second(5000000, 'b');
  CHECK_OK(save(path, first));
  Random random(1);
  int olds = 0, news = 0;
  for (int round = 0; round < 60; ++round) {
    const pid_t child = fork();
    if (child == 0) {
      for (;;) {
        static_cast<void>(save(path, second));
        static_cast<void>(save(path, first));
      }
    }
    usleep(1000 + random.below(12000));
    kill(child, SIGKILL);
    int result = 0;
    waitpid(child, &result, 0);
    const std::string content = content_of(path);
    CHECK(content == first || content == second);
    (content == first ? olds : news) += 1;
  }
  std::printf("  %d times the first content, %d times the second\n", olds, news);
  const std::string pattern = "rm -f " + path + "*";
  CHECK_EQUAL(std::system(pattern.c_str()), 0);
}

#endif
