#pragma once
#include "../core/threads.h"

namespace convnet {

// parallel_for(), unless all tasks together are less work than waking a team of
// threads: `work` counts multiplications, or elements moved times 16.
template <typename F>
void run_tasks(int64_t tasks, int64_t work, F&& body) {
  constexpr int64_t kWorthATeam = 1 << 18;
  if (work >= kWorthATeam) return parallel_for(tasks, [&](int64_t task) { body(task); });
  for (int64_t task = 0; task < tasks; ++task) body(task);
}

}  // namespace convnet
