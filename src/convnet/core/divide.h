#pragma once
#include <cstdint>

namespace convnet {

// a / b, b > 0, to the next integer above or below.
constexpr int64_t divide_up(int64_t a, int64_t b) { return a > 0 ? (a + b - 1) / b : -(-a / b); }
constexpr int64_t divide_down(int64_t a, int64_t b) { return -divide_up(-a, b); }

}  // namespace convnet
