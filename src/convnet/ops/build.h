#pragma once
// Short names for the nodes that vjp rules add.
#include "op.h"

namespace convnet {

inline Value negative(Emitter& g, Value a) { return g.emit("negative", {a}); }
inline Value add(Emitter& g, Value a, Value b) { return g.emit("add", {a, b}); }
inline Value subtract(Emitter& g, Value a, Value b) { return g.emit("subtract", {a, b}); }
inline Value multiply(Emitter& g, Value a, Value b) { return g.emit("multiply", {a, b}); }
inline Value divide(Emitter& g, Value a, Value b) { return g.emit("divide", {a, b}); }
inline Value scale(Emitter& g, Value a, double factor) {
  return g.emit("multiply", {a, g.scalar(factor, g.type(a).dtype)});
}
inline Value offset(Emitter& g, Value a, double term) {
  return g.emit("add", {a, g.scalar(term, g.type(a).dtype)});
}
inline Value select(Emitter& g, Value condition, Value a, Value b) {
  return g.emit("select", {condition, a, b});
}
inline Value cast(Emitter& g, Value a, DType dtype) {
  return g.type(a).dtype == dtype ? a : g.emit("cast", {a}, {{"dtype", name_of(dtype)}});
}
inline Value reshape(Emitter& g, Value a, const Shape& shape) {
  return g.shape(a) == shape ? a : g.emit("reshape", {a}, Attrs().set("shape", shape));
}
inline Value broadcast_to(Emitter& g, Value a, const Shape& shape) {
  return g.shape(a) == shape ? a : g.emit("broadcast_to", {a}, Attrs().set("shape", shape));
}
// Adds up the axes along which `shape` was broadcast to get a's shape.
inline Value sum_to(Emitter& g, Value a, const Shape& shape) {
  return g.shape(a) == shape ? a : g.emit("sum_to", {a}, Attrs().set("shape", shape));
}
inline Value reduce_sum(Emitter& g, Value a, const std::vector<Dim>& axes, bool keepdims) {
  return g.emit("sum", {a}, {{"axes", number_list(axes)}, {"keepdims", number_list(keepdims)}});
}

}  // namespace convnet
