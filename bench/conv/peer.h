#pragma once
// What the C++ peers of the convolution benchmark share: the problem, and a loop that answers one request a line.
//   hello                   name and version
//   threads N               ok
//   setup KIND DIMS BATCH IN_CHANNELS OUT_CHANNELS GROUPS, then for each axis: IN KERNEL STRIDE DILATION PAD_LO PAD_HI OUT
//                           ok and the names of what can be timed
//   check                   for each of these the sum of its result when all data are ones
//   time WHAT SECONDS       seconds a call, the mean over about that time
//   peak SECONDS            FMA peak in FLOP/s
// A request that fails is answered with "error" and the reason.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

struct Axis {
  int64_t in, kernel, stride, dilation, pad_lo, pad_hi, out;
};

struct Problem {
  bool transpose = false;
  int64_t batch = 0, in_channels = 0, out_channels = 0, groups = 0;
  std::vector<Axis> axes;
};

// Something to time; `fill(ones)` sets its data to ones or to random values, `sum` adds up its result.
struct Work {
  std::string name;
  std::function<void()> run;
  std::function<double()> sum;
  int64_t calls = 0;  // that take about as long as a timing shall, once known
};

struct Peer {
  virtual ~Peer() = default;
  virtual std::string hello() = 0;
  virtual void threads(int count) = 0;
  virtual std::vector<Work> setup(const Problem& problem) = 0;
  virtual void fill(bool ones) = 0;
  virtual double peak(double) { throw std::runtime_error("no peak here"); }
};

// Small, without a pattern, never denormal.
inline void fill_values(float* data, int64_t n, bool ones) {
  uint32_t state = 12345;
  for (int64_t i = 0; i < n; ++i) {
    state = state * 1664525u + 1013904223u;
    data[i] = ones ? 1.0f : (static_cast<float>(state >> 8) + 0.5f) / 16777216.0f - 0.5f;
  }
}

inline double sum_values(const float* data, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += data[i];
  return sum;
}

template <typename F>
double seconds_of(F&& run, int64_t calls) {
  const auto start = std::chrono::steady_clock::now();
  for (int64_t i = 0; i < calls; ++i) run();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// After a call that does not count: it fetches what was computed with, and packs weights again whose place another
// work of the same peer has used.
inline double time_work(Work& work, double budget) {
  work.run();
  if (work.calls == 0) {
    int64_t calls = 1;
    double once = seconds_of(work.run, 1);
    if (once >= budget) {
      work.calls = 1;
      return once;
    }
    while (once < budget / 8) once = seconds_of(work.run, calls *= 4);
    work.calls = std::max<int64_t>(1, static_cast<int64_t>(budget * calls / once));
  }
  return seconds_of(work.run, work.calls) / work.calls;
}

inline Problem read_problem(std::istream& line) {
  Problem p;
  std::string kind;
  int dims = 0;
  line >> kind >> dims >> p.batch >> p.in_channels >> p.out_channels >> p.groups;
  p.transpose = kind == "transpose";
  for (int a = 0; a < dims; ++a) {
    Axis x{};
    line >> x.in >> x.kernel >> x.stride >> x.dilation >> x.pad_lo >> x.pad_hi >> x.out;
    p.axes.push_back(x);
  }
  if (!line || dims < 1) throw std::runtime_error("incomplete problem");
  return p;
}

inline int serve(Peer& peer) {
  std::vector<Work> works;
  std::string text;
  std::cout.precision(12);
  while (std::getline(std::cin, text)) {
    std::istringstream line(text);
    std::string command;
    line >> command;
    std::ostringstream reply;
    reply.precision(12);
    try {
      if (command == "hello") {
        reply << peer.hello();
      } else if (command == "threads") {
        int count = 1;
        line >> count;
        peer.threads(count);
        reply << "ok";
      } else if (command == "setup") {
        works.clear();
        works = peer.setup(read_problem(line));
        peer.fill(false);
        reply << "ok";
        for (const Work& w : works) reply << ' ' << w.name;
      } else if (command == "check") {
        peer.fill(true);
        for (const Work& w : works) {
          w.run();
          reply << w.sum() << ' ';
        }
        peer.fill(false);
      } else if (command == "time") {
        std::string name;
        double budget = 0;
        line >> name >> budget;
        Work* found = nullptr;
        for (Work& w : works)
          if (w.name == name) found = &w;
        if (!found) throw std::runtime_error("nothing is called " + name);
        reply << time_work(*found, budget);
      } else if (command == "peak") {
        double budget = 0;
        line >> budget;
        reply << peer.peak(budget);
      } else {
        throw std::runtime_error("unknown request " + command);
      }
    } catch (const std::exception& error) {
      reply.str("");
      reply << "error " << error.what();
    }
    std::string answer = reply.str();
    for (char& c : answer)
      if (c == '\n') c = ' ';
    std::cout << answer << std::endl;
  }
  return 0;
}
