// The rooms of src/convnet: arrows point down only, and no R header is let in.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>

#include "test.h"

namespace fs = std::filesystem;

namespace {

const std::vector<std::string> kOrder = {"core", "kernels", "ops", "graph", "train"};

int level_of(const fs::path& folder) {
  const auto found = std::find(kOrder.begin(), kOrder.end(), folder.string());
  return found == kOrder.end() ? -1 : static_cast<int>(found - kOrder.begin());
}

struct Include {
  fs::path file;  // relative to src/convnet
  std::string target;
  bool quoted;
};

std::vector<Include> all_includes() {
  const fs::path root = CONVNET_SOURCE_DIR;
  const std::regex pattern("^\\s*#\\s*include\\s*([<\"])([^>\"]+)[>\"]");
  std::vector<Include> includes;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    const std::string extension = entry.path().extension().string();
    if (extension != ".cpp" && extension != ".h" && extension != ".inc") continue;
    std::ifstream in(entry.path());
    std::smatch match;
    for (std::string line; std::getline(in, line);)
      if (std::regex_search(line, match, pattern))
        includes.push_back({fs::relative(entry.path(), root), match[2], match[1] == "\""});
  }
  return includes;
}

}  // namespace

TEST(layout_no_r_headers) {
  const std::regex forbidden("^(Rcpp|RcppEigen|R\\.h|Rinternals|Rmath|Rdefines|R_ext/|Rversion|cpp11)");
  const auto includes = all_includes();
  CHECK(includes.size() > 50);
  for (const Include& include : includes) {
    const test::Context context(include.file.string());
    CHECK(!std::regex_search(include.target, forbidden));
  }
}

TEST(layout_folders_include_downwards) {
  for (const Include& include : all_includes()) {
    if (!include.quoted) continue;
    const test::Context context(include.file.string() + " includes " + include.target);
    const fs::path target = (include.file.parent_path() / include.target).lexically_normal();
    const int from = level_of(*include.file.begin()), to = level_of(*target.begin());
    CHECK(from >= 0);
    CHECK(to >= 0);
    CHECK(to <= from);
    CHECK(fs::exists(fs::path(CONVNET_SOURCE_DIR) / target));
  }
}
