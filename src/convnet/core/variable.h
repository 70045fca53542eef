#pragma once
#include <cstdint>

namespace convnet {

// The values of a variable, row-major, which somebody else owns, and a stamp that is
// another one whenever they are others. Without a stamp they may change at any time.
struct Variable {
  Variable(void* v, uint64_t* s = nullptr) : values(v), stamp(s) {}
  // With each write.
  void changed() const;

  void* values;
  uint64_t* stamp;
};

}  // namespace convnet
