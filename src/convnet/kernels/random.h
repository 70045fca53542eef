#pragma once
#include "../core/rng.h"

namespace convnet {

// Blocks first, first + 1, ... of a stream, on the instruction set in use: word k
// of block first + i becomes words[4 * i + k].
void random_words(const Philox& random, uint64_t first, int64_t blocks, uint32_t* words);

}  // namespace convnet
