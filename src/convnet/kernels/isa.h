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
enum Isa { kBaseline, kAvx2, kAvx512 };
Isa isa();
}  // namespace detail

// The `table` of the namespace of an instruction set: baseline, and on x86
// avx2 and avx512, which the file that names it has made of one body.
#if defined(__x86_64__) || defined(__i386__)
#define CONVNET_OF(isa, table) \
  ((isa) == detail::kAvx512 ? avx512::table : (isa) == detail::kAvx2 ? avx2::table : baseline::table)
#else
#define CONVNET_OF(isa, table) (baseline::table)
#endif
#define CONVNET_OF_ISA(table) CONVNET_OF(detail::isa(), table)

}  // namespace convnet
