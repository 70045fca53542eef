#include <unordered_map>

#include "bind.h"

// A reference that keeps `value` alive as long as `owner` lives and that
// serialize() writes without it.
// [[Rcpp::export(rng = false)]]
SEXP cpp_weak_reference(SEXP owner, SEXP value) { return R_MakeWeakRef(owner, value, R_NilValue, FALSE); }

// NULL when the reference comes from another session.
// [[Rcpp::export(rng = false)]]
SEXP cpp_weak_value(SEXP reference) { return R_WeakRefValue(reference); }

// match() by identity, for lists of environments; 0 where there is none. NULL matches nothing.
// [[Rcpp::export(rng = false)]]
Rcpp::IntegerVector cpp_match_environments(Rcpp::List x, Rcpp::List table) {
  std::unordered_map<SEXP, int> at;
  for (R_xlen_t i = 0; i < table.size(); ++i) at.emplace(table[i], static_cast<int>(i) + 1);
  Rcpp::IntegerVector found(x.size());
  for (R_xlen_t i = 0; i < x.size(); ++i) {
    const auto known = at.find(x[i]);
    if (x[i] != R_NilValue && known != at.end()) found[i] = known->second;
  }
  return found;
}
