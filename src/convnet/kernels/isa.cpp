#include "isa.h"

#include "../core/error.h"

namespace convnet {

namespace {

using detail::Isa;

#if defined(__x86_64__) || defined(__i386__)
constexpr const char* kNames[] = {"sse2", "avx2", "avx512"};

bool has(Isa isa) {
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  switch (isa) {
    case detail::kAvx512: return avx2 && __builtin_cpu_supports("avx512f");
    case detail::kAvx2: return avx2;
    default: return true;
  }
}
#else
#if defined(__ARM_NEON) || defined(__aarch64__)
constexpr const char* kNames[] = {"neon", "avx2", "avx512"};
#else
constexpr const char* kNames[] = {"baseline", "avx2", "avx512"};
#endif

bool has(Isa isa) { return isa == detail::kBaseline; }
#endif

constexpr Isa kBestFirst[] = {detail::kAvx512, detail::kAvx2, detail::kBaseline};

Isa best() {
  for (Isa isa : kBestFirst)
    if (has(isa)) return isa;
  return detail::kBaseline;
}

Isa& chosen() {
  static Isa isa = best();
  return isa;
}

}  // namespace

detail::Isa detail::isa() { return chosen(); }

const char* isa_name() { return kNames[chosen()]; }

std::vector<std::string> available_isas() {
  std::vector<std::string> names;
  for (Isa isa : kBestFirst)
    if (has(isa)) names.push_back(kNames[isa]);
  return names;
}

void set_isa(const std::string& name) {
  if (name == "auto") {
    chosen() = best();
    return;
  }
  std::string names = "auto";
  for (Isa isa : kBestFirst) {
    if (!has(isa)) continue;
    if (name == kNames[isa]) {
      chosen() = isa;
      return;
    }
    names += std::string(", ") + kNames[isa];
  }
  argument_error("This machine lacks an instruction set.", names, name);
}

}  // namespace convnet
