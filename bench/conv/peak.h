#pragma once
// FLOP/s of fused multiply-adds on registers alone, the best instruction set of this machine.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

namespace peak {

// Chains enough to cover the latency of two units. Each begins with another value, or the compiler would see that they
// are all the same; every loop over them is unrolled, or they would live in memory.
#define PEAK_LOOP(NAME, TARGET, BYTES, CHAINS)                                       \
  TARGET __attribute__((noinline)) inline double NAME(long iterations) {             \
    typedef float V __attribute__((vector_size(BYTES)));                             \
    constexpr int lanes = BYTES / 4;                                                 \
    V a[CHAINS];                                                                     \
    V x, y;                                                                          \
    for (int l = 0; l < lanes; ++l) x[l] = 0.999f, y[l] = 1e-3f;                     \
    _Pragma("GCC unroll 16") for (int c = 0; c < CHAINS; ++c) a[c] = x + float(c);   \
    asm volatile("" : "+" PEAK_REGISTER(x), "+" PEAK_REGISTER(y));                   \
    for (long i = 0; i < iterations; ++i) {                                          \
      _Pragma("GCC unroll 16") for (int c = 0; c < CHAINS; ++c) a[c] = a[c] * x + y; \
    }                                                                                \
    V sum = a[0];                                                                    \
    _Pragma("GCC unroll 16") for (int c = 1; c < CHAINS; ++c) sum += a[c];           \
    volatile float keep = sum[0];                                                    \
    (void)keep;                                                                      \
    return 2.0 * lanes * CHAINS * static_cast<double>(iterations);                   \
  }

using Loop = double (*)(long);

#if defined(__x86_64__)
#define PEAK_REGISTER(v) "v"(v)
PEAK_LOOP(avx512, __attribute__((target("avx512f,avx512vl"))), 64, 14)
PEAK_LOOP(avx2, __attribute__((target("avx2,fma"))), 32, 12)
#undef PEAK_REGISTER
#define PEAK_REGISTER(v) "x"(v)
PEAK_LOOP(baseline, , 16, 12)  // a multiplication and an addition
#elif defined(__aarch64__)
#define PEAK_REGISTER(v) "w"(v)
PEAK_LOOP(baseline, , 16, 16)
#else
#define PEAK_REGISTER(v) "m"(v)
PEAK_LOOP(baseline, , 16, 8)
#endif

struct Named {
  std::string name;
  Loop loop;
};

inline std::vector<Named> loops() {
  std::vector<Named> all;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")) all.push_back({"avx512", avx512});
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) all.push_back({"avx2", avx2});
#endif
  all.push_back({"baseline", baseline});
  return all;
}

// Of `threads` threads together, each running for about `seconds`.
inline double measure(Loop loop, int threads, double seconds) {
  using Clock = std::chrono::steady_clock;
  const auto elapsed = [](Clock::time_point since) {
    return std::chrono::duration<double>(Clock::now() - since).count();
  };
  long iterations = 1000;
  double once = 0;
  while (once < 1e-4) {
    const auto start = Clock::now();
    loop(iterations *= 4);
    once = elapsed(start);
  }
  iterations = std::max<long>(1, static_cast<long>(iterations * seconds / once));
  std::atomic<int> ready{0};
  std::vector<double> rates(threads);
  const auto body = [&](int t) {
    ++ready;
    while (ready.load() < threads) std::this_thread::yield();
    const auto start = Clock::now();
    const double flops = loop(iterations);
    rates[t] = flops / elapsed(start);
  };
  std::vector<std::thread> helpers;
  for (int t = 1; t < threads; ++t) helpers.emplace_back(body, t);
  body(0);
  for (auto& h : helpers) h.join();
  double sum = 0;
  for (double rate : rates) sum += rate;
  return sum;
}

inline double best(int threads, double seconds) {
  double most = 0;
  const auto all = loops();
  for (const Named& n : all) most = std::max(most, measure(n.loop, threads, seconds / all.size()));
  return most;
}

}  // namespace peak
