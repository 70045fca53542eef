#pragma once
#include "correlation.h"

namespace convnet {

// depthwise_correlation() of 3 x 3 taps whose positions and rows are two taps apart: down some columns at a time, so
// that each row of the input is loaded once. Does nothing and returns false where it is not for that, or not faster.
template <typename T>
bool strided_depthwise(const CorrelationShape& shape, const T* input, const T* kernel, T* output,
                       const Epilogue<T>& epilogue);

}  // namespace convnet
