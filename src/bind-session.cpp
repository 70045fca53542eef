#include <thread>

#include "bind.h"
#include "convnet/core/threads.h"
#include "convnet/graph/arena.h"
#include "convnet/graph/kept_memory.h"
#include "convnet/kernels/isa.h"
#include "convnet/kernels/winograd.h"

using namespace convnet;

// [[Rcpp::export(rng = false)]]
void cpp_set_threads(int count) { set_thread_count(count); }

// [[Rcpp::export(rng = false)]]
void cpp_set_isa(std::string name) {
  bind::guarded([&] {
    set_isa(name);
    return 0;
  });
}

// [[Rcpp::export(rng = false)]]
void cpp_set_winograd(bool allowed) { set_winograd(allowed); }

// [[Rcpp::export(rng = false)]]
int cpp_cores() {
  static const int cores = std::max(1u, std::thread::hardware_concurrency());
  return cores;
}

// [[Rcpp::export(rng = false)]]
Rcpp::List cpp_session() {
  return Rcpp::List::create(Rcpp::Named("threads") = thread_count(),
                            Rcpp::Named("threads_used") = threads_used(),
                            Rcpp::Named("isa") = isa_name(),
                            Rcpp::Named("isas") = available_isas(),
                            Rcpp::Named("winograd") = winograd_allowed(),
                            Rcpp::Named("workspace") = static_cast<double>(shared_arena().bytes() +
                                                                           KeptMemory::total_bytes()));
}

// [[Rcpp::export(rng = false)]]
void cpp_release_workspace() {
  shared_arena().release();
  KeptMemory::release_all();
}
