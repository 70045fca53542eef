#pragma once
#include <string>
#include <vector>

namespace convnet {

// The instruction set the kernels use: the best one this machine has, chosen
// once, unless set_isa() says otherwise. Operations prepared earlier keep theirs.
const char* isa_name();
// Names that set_isa() takes on this machine, the best first.
std::vector<std::string> available_isas();
// "auto" goes back to the best.
void set_isa(const std::string& name);

namespace detail {
// In the order of gemm.cpp's tables.
enum Isa { kBaseline, kAvx2, kAvx512 };
Isa isa();
}  // namespace detail

}  // namespace convnet
