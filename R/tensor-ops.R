#' Arithmetic on tensors
#'
#' Operators and mathematical functions of R work on tensors. Numbers and arrays of R may stand on either side. Shapes
#' broadcast as in Keras: they are aligned at their last axis, and an axis of size 1 fits any size.
#'
#' @param e1,e2 Tensors, numbers or arrays; numbers take the dtype of the tensor beside them.
#' @param x A tensor.
#' @param y A tensor or matrix.
#' @param na.rm Not used: tensors hold no missing values.
#' @param ... `log()`: `base`, as in R. `sum()` and its like: tensors, which are reduced together.
#'
#' @return A tensor: of the common shape and the dtype of the operands; of dtype `"bool"` for comparisons and for
#'   `&`, `|` and `!`, which take tensors of that dtype. On constants and arrays the result is computed at once.
#' @section Errors:
#' `convnet_error_shape` where the shapes do not broadcast, `convnet_error_dtype` where the dtypes differ (convert with
#' [k_cast()]), `convnet_error_argument` for functions that tensors do not have.
#' @section Details:
#' `%/%` and `%%` follow R: the remainder has the sign of the divisor. `round()` rounds halves to the even neighbour.
#' `sum()`, `prod()`, `mean()`, `max()`, `min()`, `range()`, `any()` and `all()` reduce all axes; `cumsum()` and
#' `cumprod()` take tensors of one axis. `%*%` is [k_dot()]; R passes it on to tensors from version 4.3 on.
#' @family tensor operations
#' @name tensor-ops
#' @examples
#' x <- k_constant(matrix(1:6, 2))
#' x * 2 - c(1, 2, 3)
#' x > 3
#' log(x, base = 2)
#' mean(x)
NULL

operators <- c(
  "+" = "add", "-" = "subtract", "*" = "multiply", "/" = "divide", "^" = "power",
  "==" = "equal", "!=" = "not_equal", "<" = "less", "<=" = "less_equal", ">" = "greater", ">=" = "greater_equal",
  "&" = "logical_and", "|" = "logical_or"
)

#' @rdname tensor-ops
#' @export
Ops.convnet_tensor <- function(e1, e2) {
  if (missing(e2)) {
    return(switch(.Generic, "+" = e1, "-" = unary("negative", e1), "!" = unary("logical_not", e1)))
  }
  switch(.Generic,
    "^" = k_pow(e1, e2),
    "%/%" = floor(binary("divide", e1, e2)),
    "%%" = e1 - floor(binary("divide", e1, e2)) * e2,
    binary(operators[[.Generic]], e1, e2)
  )
}

#' @rdname tensor-ops
#' @export
Math.convnet_tensor <- function(x, ...) {
  switch(.Generic,
    abs = , sign = , sqrt = , exp = , expm1 = , log1p = , floor = , cos = , sin = , tanh = unary(.Generic, x),
    log = log_to_base(x, ...),
    log2 = log_to_base(x, 2),
    log10 = log_to_base(x, 10),
    round = round_to_whole(x, ...),
    ceiling = -floor(-x),
    trunc = sign(x) * floor(abs(x)),
    atan = unary("atan", x),
    tan = sin(x) / cos(x),
    asin = atan(x / sqrt((1 - x) * (1 + x))),
    acos = 2 * atan(sqrt(1 - x) / sqrt(1 + x)),
    cosh = (exp(x) + exp(-x)) / 2,
    sinh = tanh(x) * cosh(x),
    asinh = inverse_sinh(x),
    acosh = log(x + sqrt(x - 1) * sqrt(x + 1)),
    atanh = (log1p(x) - log1p(-x)) / 2,
    cumsum = k_cumsum(check_vector(x, .Generic)),
    cumprod = k_cumprod(check_vector(x, .Generic)),
    abort_argument(sprintf("`%s()` is not available for tensors.", .Generic),
                   remedy = "See `?k_exp` and `?k_sum` for the functions that are.")
  )
}

log_to_base <- function(x, base) if (missing(base)) unary("log", x) else unary("log", x) / log(base)

round_to_whole <- function(x, digits = 0) {
  if (digits != 0) {
    abort_argument("Tensors are rounded to whole numbers only.", expected = "`digits = 0`",
                   received = describe(digits), remedy = "Scale by a power of 10 before and after.")
  }
  unary("round", x)
}

# Of the absolute value, so that large negative numbers lose nothing.
inverse_sinh <- function(x) {
  negative <- x < 0
  a <- select(negative, -x, x)
  value <- log1p(a + a^2 / (1 + sqrt(1 + a^2)))
  select(negative, -value, value)
}

check_vector <- function(x, what) {
  if (k_ndim(x) != 1L) {
    abort_argument(sprintf("`%s()` needs a vector.", what), expected = "a tensor of one axis", received = describe(x),
                   remedy = sprintf("Use `k_%s()`, which names the axis.", what))
  }
  x
}

#' @rdname tensor-ops
#' @export
Summary.convnet_tensor <- function(..., na.rm = FALSE) {
  reduced <- function(f, join) Reduce(join, lapply(list(...), f))
  switch(.Generic,
    sum = reduced(k_sum, `+`),
    prod = reduced(k_prod, `*`),
    max = reduced(k_max, k_maximum),
    min = reduced(k_min, k_minimum),
    any = reduced(k_any, `|`),
    all = reduced(k_all, `&`),
    range = k_stack(list(min(...), max(...)))
  )
}

#' @rdname tensor-ops
#' @export
mean.convnet_tensor <- function(x, ...) k_mean(x)

#' @rdname tensor-ops
#' @rawNamespace if (getRversion() >= "4.3.0") S3method("matrixOps", "convnet_tensor")
matrixOps.convnet_tensor <- function(x, y) k_dot(x, y)

# R's numbers become tensors of the default float type, whole numbers too: k_exp(1:3).
float_tensor <- function(x) if (is_tensor(x)) x else as_tensor(x, the$floatx)

# A factor or a bound: what is one number stays one, and need not be recorded.
number_or_tensor <- function(x) if (is.numeric(x) && length(x) == 1 && !is.na(x)) as.numeric(x) else float_tensor(x)

# Truth values and integers count as numbers: k_mean(x > 0).
as_float <- function(x) {
  x <- float_tensor(x)
  if (x$dtype %in% c("float32", "float64")) x else emit("cast", list(x), list(dtype = the$floatx))
}

unary <- function(op, x, attrs = list()) emit(op, list(float_tensor(x)), attrs)

binary <- function(op, x, y) emit(op, as_tensors(list(x, y)))

# a where the condition holds, else b. Both are computed: neither may overflow where it is not chosen, or its
# gradient, 0 times infinity, is not a number.
select <- function(condition, a, b) emit("select", c(list(condition), as_tensors(list(a, b))))
