#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

#include "test.h"

namespace {
std::atomic<long> allocated{0};
}

void* operator new(size_t bytes, const std::nothrow_t&) noexcept {
  ++allocated;
  return std::malloc(bytes ? bytes : 1);
}
void* operator new(size_t bytes) {
  if (void* memory = operator new(bytes, std::nothrow)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace test {

long allocations() { return allocated; }

namespace {
long passed = 0, failed = 0;
std::string context;
}  // namespace

std::vector<Case>& cases() {
  static std::vector<Case> all;
  return all;
}

void set_context(const std::string& text) { context = text; }

void report(bool ok, const char* file, int line, const std::string& what) {
  ++(ok ? passed : failed);
  if (!ok)
    std::printf("%s:%d: %s%s%s\n", file, line, what.c_str(), context.empty() ? "" : "  -- ",
                context.c_str());
}

}  // namespace test

// tests [TEXT [PART PARTS]]: those whose name contains a text, and of these part 1, 2, .. of so many.
int main(int argc, char** argv) {
  const char* text = argc > 1 ? argv[1] : "";
  const int part = argc > 3 ? std::atoi(argv[2]) : 1, parts = argc > 3 ? std::atoi(argv[3]) : 1;
  int number = 0;
  for (const auto& test : test::cases()) {
    if (!std::strstr(test.name, text) || number++ % parts != part - 1) continue;
    try {
      test.run();
    } catch (const convnet::Error& error) {
      std::string fields;
      for (const auto& field : error.fields()) fields += " | " + field.first + ": " + field.second;
      test::report(false, test.file, 0, std::string(test.name) + " threw " + error.kind() + fields);
    } catch (const std::exception& error) {
      test::report(false, test.file, 0, std::string(test.name) + " threw " + error.what());
    }
    test::set_context("");
  }
  std::printf("%ld passed, %ld failed\n", test::passed, test::failed);
  return test::failed != 0;
}
