#pragma once
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <type_traits>

#include "divide.h"

namespace convnet {

// How many threads parallel_for() may use; 1 in a child process after a fork,
// which has none of its parent's threads.
int thread_count();
void set_thread_count(int count);
// Size of the largest team that a parallel_for() has called up since the last call.
int threads_used();

namespace detail {
void parallel_run(int64_t tasks, double time, void (*body)(int64_t task, void* state), void* state);

class FreeRooms {
 public:
  explicit FreeRooms(int count) : free_((uint64_t{1} << count) - 1) {}
  int take();
  void give_back(int room) { free_.fetch_or(uint64_t{1} << room, std::memory_order_release); }

 private:
  std::atomic<uint64_t> free_;
};
}  // namespace detail

// Work is told in the nanoseconds that one thread takes for it with vectors of 512 bits
// and data in cache; where it takes longer, a team is called up later than it could be.
// Measured by bench/threshold.cpp: see "When work stays serial" in bench/README.md.
constexpr double kTaskTime = 1000;   // what parallel_ranges() makes a task of
constexpr double kTeamTime = 3000;   // below it a second thread brings next to nothing
constexpr double kWakeTime = 10000;  // below it a helper that sleeps comes too late
constexpr double kMultiplyTime = 1.0 / 45;  // a multiplication and its addition, in a tile of registers
constexpr double kElementTime = 0.12;       // an element through a loop of a few instructions
constexpr double kByteTime = 0.02;          // a byte copied

// Work that is worth a team, instead of kTeamTime: for tests and measurements.
void set_team_time(double time);

// Runs body(task) for task = 0..tasks-1, each exactly once, in any order and on
// any thread; `time` is that of all tasks. Tasks own disjoint outputs, and what a
// task is must depend on shapes alone, never on the thread count: that makes
// results identical at any count. body must not throw and must not call R.
template <typename F>
void parallel_for(int64_t tasks, double time, F&& body) {
  using Body = std::remove_reference_t<F>;
  detail::parallel_run(
      tasks, time, [](int64_t task, void* state) { (*static_cast<Body*>(state))(task); },
      const_cast<void*>(static_cast<const void*>(&body)));
}

// Rooms worth having for what each of `tasks` tasks computes on the way: one for each thread that may be busy.
int room_count(int64_t tasks);

// The same with body(task, room), where 0 <= room < rooms and no other task has that room meanwhile; with more
// threads than rooms, some wait.
template <typename F>
void parallel_for_in_rooms(int64_t tasks, double time, int rooms, F&& body) {
  detail::FreeRooms free(rooms);
  parallel_for(tasks, time, [&](int64_t task) {
    const int room = free.take();
    body(task, room);
    free.give_back(room);
  });
}

// parallel_for() over ranges [begin, end) of n items, each of which takes `time`; begin is
// a multiple of `step`.
template <typename F>
void parallel_ranges(int64_t n, double time, F&& body, int64_t step = 1) {
  const double steps = kTaskTime / std::max(1e-3, time * static_cast<double>(step));
  const int64_t grain = std::max<int64_t>(1, static_cast<int64_t>(steps)) * step;
  parallel_for(divide_up(n, grain), time * static_cast<double>(n), [&](int64_t task) {
    const int64_t begin = task * grain;
    body(begin, std::min(begin + grain, n));
  });
}

}  // namespace convnet
