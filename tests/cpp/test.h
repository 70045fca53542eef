#pragma once
// A test framework of one header. TEST(name) {...} registers itself; a failed
// check is printed with its place and values, and the test goes on.
#include <cmath>
#include <exception>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "core/error.h"

namespace test {

struct Case {
  const char* name;
  const char* file;
  void (*run)();
};

std::vector<Case>& cases();
// Counts a check, and prints where and what when it failed.
void report(bool passed, const char* file, int line, const std::string& what);
// How often `new` has been called.
long allocations();
// Added to the message of every failed check, to tell rows of a table apart.
void set_context(const std::string& context);

struct Registration {
  Registration(const char* name, const char* file, void (*run)()) {
    cases().push_back({name, file, run});
  }
};

struct Context {
  explicit Context(const std::string& text) { set_context(text); }
  ~Context() { set_context(""); }
};

template <typename T, typename = void>
struct Printable : std::false_type {};
template <typename T>
struct Printable<T, std::void_t<decltype(std::declval<std::ostream&>() << std::declval<T>())>>
    : std::true_type {};
template <typename T, typename = void>
struct HasToString : std::false_type {};
template <typename T>
struct HasToString<T, std::void_t<decltype(std::declval<T>().to_string())>> : std::true_type {};

template <typename T>
std::string show(const T& value);
template <typename T>
std::string show(const std::vector<T>& values) {
  std::string text = "{";
  for (size_t i = 0; i < values.size(); ++i) text += (i ? ", " : "") + show<T>(values[i]);
  return text + "}";
}
template <typename T>
std::string show(const T& value) {
  if constexpr (HasToString<T>::value) {
    return value.to_string();
  } else if constexpr (Printable<T>::value) {
    std::ostringstream out;
    out.precision(17);
    out << value;
    return out.str();
  } else {
    return "?";
  }
}

template <typename A, typename B>
void check_equal(const A& a, const B& b, const char* file, int line, const char* what) {
  const bool passed = a == b;
  report(passed, file, line, passed ? "" : std::string(what) + ": " + show(a) + " and " + show(b));
}

// |a - b| <= tolerance * max(1, |b|); NaN is close to NaN, and infinities to themselves.
inline bool is_close(double a, double b, double tolerance) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  if (a == b) return true;
  return std::fabs(a - b) <= tolerance * std::max(1.0, std::fabs(b));
}

inline void check_close(double a, double b, double tolerance, const char* file, int line,
                        const char* what) {
  const bool passed = is_close(a, b, tolerance);
  report(passed, file, line, passed ? "" : std::string(what) + ": " + show(a) + " and " + show(b));
}

inline void check_close(const std::vector<double>& a, const std::vector<double>& b,
                        double tolerance, const char* file, int line, const char* what) {
  if (a.size() != b.size()) {
    report(false, file, line, std::string(what) + ": " + show(a.size()) + " and " +
                                  show(b.size()) + " values");
    return;
  }
  for (size_t i = 0; i < a.size(); ++i)
    if (!is_close(a[i], b[i], tolerance)) {
      report(false, file, line, std::string(what) + ": value " + show(i) + " is " + show(a[i]) +
                                    ", not " + show(b[i]));
      return;
    }
  report(true, file, line, "");
}

template <typename F>
void check_throws(F&& f, const std::string& kind, const char* file, int line, const char* what) {
  std::string got = "nothing was thrown";
  try {
    f();
  } catch (const convnet::Error& error) {
    if (error.kind() == kind) return report(true, file, line, "");
    got = "kind " + error.kind() + ": " + error.what();
  } catch (const std::exception& error) {
    got = std::string("another exception: ") + error.what();
  }
  report(false, file, line, std::string(what) + ": expected an error of kind " + kind + "; " + got);
}

}  // namespace test

#define TEST(name)                                                                     \
  static void test_##name();                                                           \
  static const ::test::Registration registration_##name(#name, __FILE__, test_##name); \
  static void test_##name()

#define CHECK(...) ::test::report(static_cast<bool>(__VA_ARGS__), __FILE__, __LINE__, #__VA_ARGS__)
#define CHECK_EQ(a, b) ::test::check_equal((a), (b), __FILE__, __LINE__, #a " == " #b)
#define CHECK_CLOSE(a, b, tolerance) \
  ::test::check_close((a), (b), (tolerance), __FILE__, __LINE__, #a)
#define CHECK_THROWS(expression, kind) \
  ::test::check_throws([&] { (void)(expression); }, kind, __FILE__, __LINE__, #expression)
