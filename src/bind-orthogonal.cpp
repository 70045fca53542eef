// The one file that includes Eigen: every other includer costs seconds of compilation and megabytes of code.
#define EIGEN_DONT_PARALLELIZE
#define EIGEN_NO_DEBUG
#include <Eigen/QR>

#include <Rcpp/Lightest>

// The orthonormal factor Q of a QR decomposition of `a`, which has at least as many rows as columns. The signs make
// the diagonal of R positive: without this Q is not evenly distributed when `a` is normal.
// [[Rcpp::export(rng = false)]]
Rcpp::NumericMatrix cpp_orthonormal(const Rcpp::NumericMatrix& a) {
  using Matrix = Eigen::MatrixXd;
  const Eigen::Map<const Matrix> given(a.begin(), a.nrow(), a.ncol());
  const Eigen::HouseholderQR<Matrix> qr(given);
  Rcpp::NumericMatrix result(a.nrow(), a.ncol());
  Eigen::Map<Matrix> q(result.begin(), a.nrow(), a.ncol());
  q.setIdentity();
  q = qr.householderQ() * q;
  for (Eigen::Index j = 0; j < q.cols(); ++j)
    if (qr.matrixQR()(j, j) < 0) q.col(j) = -q.col(j);
  return result;
}
