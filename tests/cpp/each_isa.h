#pragma once
#include <string>

#include "kernels/isa.h"

// Calls f() with each instruction set that this machine has.
template <typename F>
void for_each_isa(F&& f) {
  for (const std::string& name : convnet::available_isas()) {
    convnet::set_isa(name);
    f();
  }
  convnet::set_isa("auto");
}
