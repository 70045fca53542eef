#pragma once
// The convolution triangle as its definition says it. Every fast kernel is
// tested against these loops.
#include "../conv_geometry.h"

namespace convnet::ref {

template <typename T>
void conv(const ConvGeometry& geometry, const T* input, const T* kernel, T* output);
template <typename T>
void conv_backward_data(const ConvGeometry& geometry, const T* grad_output, const T* kernel,
                        T* grad_input);
template <typename T>
void conv_backward_weights(const ConvGeometry& geometry, const T* input, const T* grad_output,
                           T* grad_kernel);

}  // namespace convnet::ref
